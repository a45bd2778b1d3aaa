package emulated

// ReadUngrabbed reads a scanner's events without grabbing it.
func (b *Board) ReadUngrabbed(string) error {
	d := b.events[b.c.Profile.Scanner.Events()]
	d.mu.Lock()
	d.grab = nil
	d.mu.Unlock()
	f, err := d.open()
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { _, err := f.Read(make([]byte, 512)); ended <- err }()
	if err := d.press(30); err != nil {
		return err
	}
	if err := <-ended; err != nil {
		return err
	}
	return f.Close()
}

// KeyNumber is a key's number, for tests.
func KeyNumber(name string) (int, bool) {
	n, known := keyCodes[name]
	return int(n), known
}
