// Package boards holds the board profiles that payterm knows.
package boards

import (
	"embed"
	"fmt"
)

//go:embed *.toml
var profiles embed.FS

// Read gives a profile by its name without .toml.
func Read(name string) ([]byte, error) {
	b, err := profiles.ReadFile(name + ".toml")
	if err != nil {
		return nil, fmt.Errorf("boards: there is no profile %q", name)
	}
	return b, nil
}
