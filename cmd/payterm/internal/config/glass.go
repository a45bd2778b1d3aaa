package config

// Unshown says, with the line where it stands, what a glass that has letters only
// will not show: the screens come in English there. Slips are not concerned.
func (c Config) Unshown(lettersOnly bool) []Problem {
	if !lettersOnly || c.Terminal.Language != "zh" {
		return nil
	}
	return []Problem{c.problem("terminal.language", "zh: the display of this board has no Chinese signs and shows English instead; slips are in Chinese")}
}
