package hal

import "io"

// OpenMute opens a USB printer that reads as read does.
func OpenMute(name string, read func(int, []byte) (int, error)) (io.ReadWriteCloser, error) {
	p, err := openUSBPrinter(name)
	if err != nil {
		return nil, err
	}
	u := p.stream.(*usbPrinter)
	u.read = read
	return u, nil
}
