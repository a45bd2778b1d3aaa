package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// pagesCmd writes the man page and the shell completion from the commands
// themselves, for the packages.
type pagesCmd struct {
	Man  manCmd  `cmd:"" help:"The man page."`
	Bash bashCmd `cmd:"" help:"Completion for bash."`
}

type manCmd struct {
	Release string `required:"" help:"Version to name."`
	Date    string `required:"" help:"Date to name."`
}

// command is one that can be run, with its words and all its flags.
type command struct {
	node  *kong.Node
	words string
	flags []*kong.Flag
}

func commands(n *kong.Node, words string) (list []command) {
	for _, child := range n.Children {
		if child.Hidden || child.Type != kong.CommandNode {
			continue
		}
		under := strings.TrimSpace(words + " " + child.Name)
		if child.Leaf() {
			flags := slices.DeleteFunc(slices.Concat(child.AllFlags(true)...),
				func(f *kong.Flag) bool { return f.Name == "help" })
			list = append(list, command{child, under, flags})
		}
		list = append(list, commands(child, under)...)
	}
	return list
}

// roff keeps a text from being read as markup.
func roff(text string) string {
	text = strings.ReplaceAll(text, `\`, `\e`)
	text = strings.ReplaceAll(text, "-", `\-`)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

const manEnd = `.SH EXIT STATUS
.B sale
and
.B refund
end with 0 approved, 10 declined, 11 cancelled, 12 in doubt, 13 not sent. In doubt
means neither: never take the money in another way before the order is settled.
Everywhere 1 is a failure and 2 a wrong use.
.B run
ends with 78 when the configuration has to be changed first.
.SH FILES
.TP
.I /etc/payterm/payterm.toml
The configuration. Each key is also an environment variable: sale.max_minor is
PAYTERM_SALE_MAX_MINOR.
.TP
.I /var/lib/payterm/payterm.db
The journal. It is the proof of what was paid; copy it with
.BR "payterm journal export" ,
never as a bare file while the agent runs.
.TP
.I /var/lib/payterm/payterm.sock
The agent's socket, for its own user and root.
.TP
.I /usr/share/payterm/boards
Board profiles to begin with.
`

// Run writes the page.
func (c manCmd) Run(ctx *kong.Context) error { return c.write(os.Stdout, ctx.Model.Node) }

func (c manCmd) write(w io.Writer, root *kong.Node) error {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH PAYTERM 1 %q %q\n.SH NAME\npayterm \\- agent of a payment terminal\n.SH SYNOPSIS\n.B payterm\n.I command\n.RI [ flags ]\n", c.Date, "payterm "+c.Release)
	b.WriteString(".SH DESCRIPTION\nThe agent takes payments through the gateway with the hardware of a small board.\n" +
		"The other commands ask a running agent, or read its journal.\n.SH COMMANDS\n")
	for _, one := range commands(root, "") {
		fmt.Fprintf(&b, ".SS payterm %s", roff(one.words))
		for _, p := range one.node.Positional {
			fmt.Fprintf(&b, " %s", roff(p.Summary()))
		}
		fmt.Fprintf(&b, "\n%s\n", roff(one.node.Help))
		for _, p := range one.node.Positional {
			fmt.Fprintf(&b, ".TP\n.I %s\n%s\n", roff(p.Name), roff(p.Help))
		}
		for _, f := range one.flags {
			name := "--" + f.Name
			if !f.IsBool() {
				name += "=" + f.FormatPlaceHolder()
			}
			help := f.Help
			if len(f.Envs) > 0 {
				help += " ($" + strings.Join(f.Envs, ", $") + ")"
			}
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(name), roff(help))
		}
	}
	b.WriteString(manEnd)
	_, err := io.WriteString(w, b.String())
	return err
}

type bashCmd struct{}

// Run writes the completion.
func (c bashCmd) Run(ctx *kong.Context) error { return c.write(os.Stdout, ctx.Model.Node) }

const bashEnd = `	*) replies="" ;;
	esac
	case $cur in
	-*) COMPREPLY=($(compgen -W "${replies#*|}" -- "$cur")) ;;
	*)
		COMPREPLY=($(compgen -W "${replies%%|*}" -- "$cur"))
		[[ -n ${replies%%|*} ]] || COMPREPLY=($(compgen -f -- "$cur"))
		;;
	esac
}
complete -F _payterm payterm
`

// write makes a table: after the words so far stand the words that may follow, a
// bar, and the flags.
func (c bashCmd) write(w io.Writer, root *kong.Node) error {
	follow := map[string][]string{}
	flags := map[string][]string{}
	for _, one := range commands(root, "") {
		words := strings.Fields(one.words)
		for i, word := range words {
			before := strings.Join(words[:i], " ")
			if !slices.Contains(follow[before], word) {
				follow[before] = append(follow[before], word)
			}
		}
		for _, f := range one.flags {
			flags[one.words] = append(flags[one.words], "--"+f.Name)
		}
		follow[one.words] = nil
	}
	var b strings.Builder
	b.WriteString(`# Completion of payterm for bash, made from its commands.
_payterm() {
	local cur=${COMP_WORDS[COMP_CWORD]} so_far="" word replies
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == [a-z]* ]] && so_far="${so_far:+$so_far }$word"
	done
	case $so_far in
`)
	keys := make([]string, 0, len(follow))
	for k := range follow {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		pattern := fmt.Sprintf("%q", k)
		if len(follow[k]) == 0 {
			pattern += "*" // arguments may follow
		}
		fmt.Fprintf(&b, "\t%s) replies=%q ;;\n", pattern, strings.Join(follow[k], " ")+"|"+strings.Join(flags[k], " "))
	}
	b.WriteString(bashEnd)
	_, err := io.WriteString(w, b.String())
	return err
}
