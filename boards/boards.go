// Package boards holds the board profiles that payterm knows.
package boards

import (
	"embed"
	"fmt"
	"strings"
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

// Names are the profiles' names, in alphabetical order.
func Names() []string {
	files, err := profiles.ReadDir(".")
	if err != nil {
		panic(err) // they are in the program
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(f.Name(), ".toml")
	}
	return names
}
