package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"payterm/tomlfile"
)

// envPrefix begins the name of each variable: gateway.url is PAYTERM_GATEWAY_URL.
const envPrefix = "PAYTERM_"

// envDataDir is a short name of terminal.data_dir, which the commands accept too.
const envDataDir = "PAYTERM_DATA"

// origin records where each key was set.
type origin struct {
	file      *tomlfile.File
	set       map[string]bool
	variables map[string]string // name of the variable, by dotted key
	board     *Config           // the configuration from which the board was taken; nil for this one
}

// Load reads the file (none if path is empty) and then the environment, which overrides the file and has the
// form of os.Environ. The error joins one Problem for each mistake.
func Load(path string, env []string) (Config, error) {
	name, text := "configuration", []byte(nil)
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return Config{}, fmt.Errorf("configuration: %w", err)
		}
		name = path
	}
	c, err := Parse(name, text, env)
	if err == nil {
		c.Terminal.Board = boardFile(path, c.Terminal.Board)
	}
	return c, err
}

// boardFile returns the file of a profile, which has a slash in its path: one beside the configuration, in no
// other directory. Another name is that of a known board, which needs no file.
func boardFile(configuration, board string) string {
	if filepath.IsAbs(board) {
		return board
	}
	dir := filepath.Dir(configuration)
	about, err := os.Stat(filepath.Join(dir, board))
	there := err == nil && about.Mode().IsRegular()
	if !there && !strings.ContainsRune(board, filepath.Separator) && filepath.Ext(board) != ".toml" {
		return board
	}
	if dir == "." {
		return "./" + filepath.Clean(board)
	}
	return filepath.Join(dir, board)
}

// BoardProblem returns a problem of the board's name, at the place where it was set.
func (c Config) BoardProblem(text string) Problem {
	if c.origin != nil && c.origin.board != nil {
		c = *c.origin.board
	}
	return c.problem(boardKey, text)
}

// profileSections are sections of a board profile that no configuration has.
var profileSections = []string{"display", "keypad", "scanner", "printer", "signal"}

// exchanged returns a problem if a board profile was given in place of a configuration.
func exchanged(file *tomlfile.File, tables map[string]any, sections []string) (Problem, bool) {
	found := ""
	for _, section := range slices.Sorted(maps.Keys(tables)) {
		switch {
		case slices.Contains(sections, section):
			return Problem{}, false
		case slices.Contains(profileSections, section) && found == "":
			found = section
		}
	}
	p := file.Problem(found, "this file is a board profile, which payterm board check reads; "+
		"a configuration names it with board in [terminal]")
	return p, found != ""
}

// Parse is Load with a text in place of a file; name stands for the file in messages.
func Parse(name string, text []byte, env []string) (Config, error) {
	c := Default()
	file, tables, err := tomlfile.Tables(name, text)
	if err != nil {
		return Config{}, err
	}
	_, sections := c.keys()
	if p, is := exchanged(file, tables, sections); is {
		return Config{}, p
	}
	c.origin = &origin{file: file, set: map[string]bool{}, variables: map[string]string{}}
	problems := c.readTables(tables)
	problems = append(problems, c.readEnvironment(env)...)
	refused := map[string]bool{}
	for _, p := range problems {
		refused[p.Key] = true
	}
	for _, p := range c.Check() {
		if !refused[p.Key] { // its value could not be read, so Check saw the default
			problems = append(problems, p)
		}
	}
	if len(problems) == 0 {
		return c, nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	list := make([]error, len(problems))
	for i, p := range problems {
		list[i] = p
	}
	return Config{}, errors.Join(list...)
}

// key is one setting.
type key struct {
	dotted string
	value  reflect.Value
}

// variable returns the name of the key's environment variable.
func (k key) variable() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.dotted, ".", "_"))
}

// keys returns every setting of c, in the order of the struct, and the sections.
func (c *Config) keys() (keys []key, sections []string) {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		section := v.Type().Field(i).Tag.Get("toml")
		if section == "" {
			continue
		}
		sections = append(sections, section)
		if v.Field(i).Kind() == reflect.Slice { // operators: each table is read on its own
			continue
		}
		for j := range v.Field(i).NumField() {
			keys = append(keys, key{section + "." + v.Field(i).Type().Field(j).Tag.Get("toml"), v.Field(i).Field(j)})
		}
	}
	return keys, sections
}

func (c *Config) readTables(tables map[string]any) []Problem {
	keys, sections := c.keys()
	var problems []Problem
	bad := func(key, text string) { problems = append(problems, c.origin.file.Problem(key, text)) }
	for _, section := range slices.Sorted(maps.Keys(tables)) {
		if section == operatorsKey {
			problems = append(problems, c.readOperators(tables[section])...)
			continue
		}
		table, ok := tables[section].(map[string]any)
		switch known := slices.Contains(sections, section); {
		case !known:
			bad(section, unknown(section, keys, sections))
			continue
		case !ok:
			bad(section, "is "+tomlfile.KindOf(tables[section])+"; a section ["+section+"] is needed")
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(table)) {
			dotted := section + "." + name
			at := slices.IndexFunc(keys, func(k key) bool { return k.dotted == dotted })
			if at < 0 {
				bad(dotted, unknown(dotted, keys, sections))
				continue
			}
			c.origin.set[dotted] = true
			if why := assign(keys[at].value, table[name]); why != "" {
				bad(dotted, why)
			}
		}
	}
	return problems
}

// operatorsKey is the one section that may occur more than once.
const operatorsKey = "operators"

// readOperators reads the tables [[operators]].
func (c *Config) readOperators(value any) []Problem {
	var problems []Problem
	bad := func(key, text string) { problems = append(problems, c.origin.file.Problem(key, text)) }
	list, ok := value.([]map[string]any)
	if !ok {
		bad(operatorsKey, "is "+tomlfile.KindOf(value)+"; each operator has a section [[operators]]")
		return problems
	}
	for i, table := range list {
		var o Operator
		fields, known := reflect.ValueOf(&o).Elem(), []string{}
		for j := range fields.NumField() {
			known = append(known, fields.Type().Field(j).Tag.Get("toml"))
		}
		for _, name := range slices.Sorted(maps.Keys(table)) {
			at := slices.Index(known, name)
			why := "unknown key; [[operators]] has " + strings.Join(known, ", ")
			if at >= 0 {
				why = assign(fields.Field(at), table[name])
			} else if near := tomlfile.Nearest(name, known); near != "" {
				why = "unknown key; did you mean " + near + "?"
			}
			if why != "" {
				bad(fmt.Sprintf("%s.%d.%s", operatorsKey, i+1, name), why)
			}
		}
		c.Operators = append(c.Operators, o)
	}
	return problems
}

func (c *Config) readEnvironment(env []string) []Problem {
	keys, sections := c.keys()
	var problems []Problem
	env = slices.Clone(env)
	slices.Sort(env)
	for _, entry := range env {
		variable, text, _ := strings.Cut(entry, "=")
		rest, ours := strings.CutPrefix(variable, envPrefix)
		if !ours {
			continue
		}
		at := slices.IndexFunc(keys, func(k key) bool {
			return k.variable() == variable || variable == envDataDir && k.dotted == "terminal.data_dir"
		})
		if at < 0 {
			// A name that begins with none of the sections belongs to another program.
			section := strings.ToLower(strings.SplitN(rest, "_", 2)[0])
			if slices.Contains(sections, section) && strings.Contains(rest, "_") {
				problems = append(problems, Problem{File: "environment", Key: variable,
					Text: unknownVariable(variable, keys)})
			}
			continue
		}
		k := keys[at]
		c.origin.set[k.dotted] = true
		c.origin.variables[k.dotted] = variable
		value, why := fromText(k.value.Type(), text)
		if why == "" {
			why = assign(k.value, value)
		}
		if why != "" {
			problems = append(problems, c.problem(k.dotted, why))
		}
	}
	return problems
}

// problem returns a problem of a key at the place where the key was set.
func (c Config) problem(dotted, text string) Problem {
	switch {
	case c.origin == nil:
		return Problem{File: "configuration", Key: dotted, Text: text}
	case c.origin.variables[dotted] != "":
		return Problem{File: "environment", Key: c.origin.variables[dotted], Text: text}
	}
	return c.origin.file.Problem(dotted, text)
}

// unknown returns the message for an unknown key. It suggests the same word in another section or a similar
// word; otherwise it lists the keys of the section.
func unknown(written string, keys []key, sections []string) string {
	section, word, inSection := strings.Cut(written, ".")
	if !inSection {
		word = section
	}
	var words, there []string
	for _, k := range keys {
		owner, last, _ := strings.Cut(k.dotted, ".")
		if last == word {
			return "unknown key; " + word + " belongs in [" + owner + "]"
		}
		words = append(words, last)
		if owner == section {
			there = append(there, last)
		}
	}
	if !inSection {
		if near := tomlfile.Nearest(section, sections); near != "" {
			return "unknown section; did you mean [" + near + "]?"
		}
		return "unknown section; those that there are: " + strings.Join(sections, ", ")
	}
	if near := tomlfile.Nearest(word, there); near != "" {
		return "unknown key; did you mean " + near + "?"
	}
	if near := tomlfile.Nearest(word, words); near != "" {
		return "unknown key; did you mean " + keys[slices.Index(words, near)].dotted + "?"
	}
	return "unknown key; [" + section + "] has " + strings.Join(there, ", ")
}

// unknownVariable is unknown for an environment variable.
func unknownVariable(written string, keys []key) string {
	known := make([]string, len(keys))
	for i, k := range keys {
		known[i] = k.variable()
	}
	if near := tomlfile.Nearest(written, known); near != "" {
		return "unknown variable; did you mean " + near + "?"
	}
	section, _, _ := strings.Cut(strings.TrimPrefix(written, envPrefix), "_")
	known = slices.DeleteFunc(known, func(k string) bool { return !strings.HasPrefix(k, envPrefix+section+"_") })
	return "unknown variable; there are " + strings.Join(known, ", ")
}

var (
	durationType  = reflect.TypeFor[Duration]()
	durationsType = reflect.TypeFor[[]Duration]()
)

// assign stores a value of the file in a field, or returns what would be right.
func assign(field reflect.Value, value any) (why string) {
	wrong := func(right string) string { return "is " + tomlfile.KindOf(value) + "; " + right }
	switch {
	case field.Type() == durationType:
		text, ok := value.(string)
		if !ok {
			return wrong(tomlfile.NeedsDuration + `"60s" or "2h10m"`)
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Sprintf(`%q is no duration such as "60s" or "2h10m"`, text)
		}
		field.Set(reflect.ValueOf(Duration{d}))
	case field.Kind() == reflect.String:
		text, ok := value.(string)
		if !ok {
			return wrong(tomlfile.NeedsText)
		}
		field.SetString(text)
	case field.Kind() == reflect.Bool:
		yes, ok := value.(bool)
		if !ok {
			return wrong(tomlfile.NeedsBool)
		}
		field.SetBool(yes)
	case field.CanInt():
		n, ok := value.(int64)
		if !ok {
			return wrong(tomlfile.NeedsNumber)
		}
		if field.OverflowInt(n) {
			return tomlfile.TooLarge
		}
		field.SetInt(n)
	case field.Kind() == reflect.Slice:
		return assignList(field, value)
	case field.Kind() == reflect.Map:
		return assignPairs(field, value)
	}
	return ""
}

func assignList(field reflect.Value, value any) (why string) {
	list, ok := value.([]any)
	if !ok {
		return "is " + tomlfile.KindOf(value) + "; a list is needed, such as " + exampleOf(field.Type())
	}
	made := reflect.MakeSlice(field.Type(), len(list), len(list))
	for i, one := range list {
		if why := assign(made.Index(i), one); why != "" {
			return fmt.Sprintf("item %d: %s", i+1, why)
		}
	}
	field.Set(made)
	return ""
}

func assignPairs(field reflect.Value, value any) (why string) {
	table, ok := value.(map[string]any)
	if !ok {
		return "is " + tomlfile.KindOf(value) + "; a table is needed, such as " + exampleOf(field.Type())
	}
	made := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		text, ok := table[name].(string)
		if !ok {
			return name + " is " + tomlfile.KindOf(table[name]) + "; " + tomlfile.NeedsText
		}
		made[name] = text
	}
	field.Set(reflect.ValueOf(made))
	return ""
}

func exampleOf(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Map:
		return `{ PASSIVEPAY = "1.1" }`
	case t == durationsType:
		return `["4s", "30s"]`
	case t.Elem() == reflect.TypeFor[string]():
		return `["fr", "en"]`
	case t.Elem().Kind() == reflect.String:
		return `["ALIPAY", "WECHATPAY"]`
	}
	return "[10, 15]"
}

// fromText converts a variable's text to the value that a file would have: a list is separated by commas, a
// table is NAME=value pairs.
func fromText(t reflect.Type, text string) (value any, why string) {
	var parts []string
	if strings.TrimSpace(text) != "" {
		parts = strings.Split(text, ",")
	}
	switch {
	case t.Kind() == reflect.Slice:
		list := make([]any, len(parts))
		for i, part := range parts {
			if list[i], why = fromText(t.Elem(), strings.TrimSpace(part)); why != "" {
				return nil, fmt.Sprintf("item %d: %s", i+1, why)
			}
		}
		return list, ""
	case t.Kind() == reflect.Map:
		table := map[string]any{}
		for i, part := range parts {
			name, v, found := strings.Cut(strings.TrimSpace(part), "=")
			if !found {
				return nil, fmt.Sprintf("item %d: NAME=value is needed, such as PASSIVEPAY=1.1", i+1)
			}
			table[name] = v
		}
		return table, ""
	case t.Kind() == reflect.Int64 || t.Kind() == reflect.Int:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Sprintf("%q is no whole number", text)
		}
		return n, ""
	}
	return text, ""
}

// Known returns the dotted names of all settings.
func (c *Config) Known() map[string]bool {
	keys, _ := c.keys()
	known := map[string]bool{}
	for _, k := range keys {
		known[k.dotted] = true
	}
	return known
}
