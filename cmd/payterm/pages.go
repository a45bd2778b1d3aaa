package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// pagesCmd writes the man page and the shell completion of the packages from the commands.
type pagesCmd struct {
	Man  manCmd  `cmd:"" help:"The man page."`
	Bash bashCmd `cmd:"" help:"Completion for bash."`
	Zsh  zshCmd  `cmd:"" help:"Completion for zsh."`
	Fish fishCmd `cmd:"" help:"Completion for fish."`
}

type manCmd struct {
	Release string `required:"" help:"The version on the page."`
	Date    string `required:"" help:"The date on the page."`
}

// command is a command with its words and flags, for the man page.
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
				func(f *kong.Flag) bool { return f.Name == "help" || f.Name == "version" })
			list = append(list, command{child, under, flags})
		}
		list = append(list, commands(child, under)...)
	}
	return list
}

// roff escapes a text for roff.
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
With all commands 1 is a failure and 2 wrong usage.
.B cancel
ends with 0 when the order ended unpaid, 10 when the wallet had declined it, 12 when it is paid
or may still be paid, and 13 when there is no order to end.
.B bundle
ends with 3 when the file is written but something is missing in it. On standard output only
the packed file missing.json says so.
.B reports
ends with 4 when the folder has no room, and 5 when it cannot be written.
.B run
ends with 78 when the configuration must be corrected first.
.SH FILES
.TP
.I /etc/payterm/payterm.toml
The configuration. Each key is also an environment variable: sale.max_minor is
PAYTERM_SALE_MAX_MINOR.
.TP
.I /var/lib/payterm/payterm.db
The journal. It proves what was paid. Copy it with
.BR "payterm journal export" ,
never as a plain file while the agent runs.
.TP
.I /var/lib/payterm/payterm.sock
The agent's socket, for its own user and root.
.TP
.I /usr/share/payterm/boards
Board profiles to start from.
`

// Run writes the man page.
func (c manCmd) Run(ctx *kong.Context) error { return c.write(os.Stdout, ctx.Model.Node) }

func (c manCmd) write(w io.Writer, root *kong.Node) error {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH PAYTERM 1 %q %q\n.SH NAME\npayterm \\- agent of a payment terminal\n.SH SYNOPSIS\n.B payterm\n.I command\n.RI [ flags ]\n", c.Date, "payterm "+c.Release)
	b.WriteString(".SH DESCRIPTION\nThe agent takes payments through the gateway with the hardware of a small board.\n" +
		"The other commands talk to a running agent, or read its journal.\n.SH COMMANDS\n")
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

// completion is what may follow the words typed so far: further words, and flags.
type completion struct{ words, flags map[string][]string }

func completions(root *kong.Node) completion {
	c := completion{map[string][]string{}, map[string][]string{}}
	for _, one := range commands(root, "") {
		words := strings.Fields(one.words)
		for i, word := range words {
			before := strings.Join(words[:i], " ")
			if !slices.Contains(c.words[before], word) {
				c.words[before] = append(c.words[before], word)
			}
		}
		for _, f := range one.flags {
			c.flags[one.words] = append(c.flags[one.words], "--"+f.Name)
		}
		c.words[one.words] = nil
	}
	return c
}

// cases returns the cases of a shell's case statement by the words so far. Each gives the further words, a bar,
// and the flags.
func (c completion) cases() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(c.words)) {
		pattern := fmt.Sprintf("%q", k)
		if len(c.words[k]) == 0 {
			pattern += "*" // arguments may follow
		}
		fmt.Fprintf(&b, "\t%s) replies=%q ;;\n", pattern,
			strings.Join(c.words[k], " ")+"|"+strings.Join(c.flags[k], " "))
	}
	return b.String()
}

type bashCmd struct{}

// Run writes the completion.
func (bashCmd) Run(ctx *kong.Context) error {
	_, err := fmt.Printf(`# Completion of payterm for bash, made from its commands.
_payterm() {
	local cur=${COMP_WORDS[COMP_CWORD]} so_far="" word replies
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == [a-z]* ]] && so_far="${so_far:+$so_far }$word"
	done
	case $so_far in
%s	*) replies="" ;;
	esac
	case $cur in
	-*) COMPREPLY=($(compgen -W "${replies#*|}" -- "$cur")) ;;
	*)
		COMPREPLY=($(compgen -W "${replies%%%%|*}" -- "$cur"))
		[[ -n ${replies%%%%|*} ]] || COMPREPLY=($(compgen -f -- "$cur"))
		;;
	esac
}
complete -F _payterm payterm
`, completions(ctx.Model.Node).cases())
	return err
}

type zshCmd struct{}

// Run writes the completion.
func (zshCmd) Run(ctx *kong.Context) error {
	_, err := fmt.Printf(`#compdef payterm
# Completion of payterm for zsh, made from its commands.
_payterm() {
	local so_far="" word replies
	for word in "${(@)words[2,CURRENT-1]}"; do
		[[ $word == [a-z]* ]] && so_far="${so_far:+$so_far }$word"
	done
	case $so_far in
%s	*) replies="" ;;
	esac
	case $PREFIX in
	-*) compadd -- ${=replies#*|} ;;
	*)
		if [[ -n ${replies%%%%|*} ]]; then
			compadd -- ${=replies%%%%|*}
		else
			_files
		fi
		;;
	esac
}
[[ $zsh_eval_context[-1] == loadautofunc ]] && _payterm "$@" || compdef _payterm payterm
`, completions(ctx.Model.Node).cases())
	return err
}

type fishCmd struct{}

// Run writes the completion.
func (fishCmd) Run(ctx *kong.Context) error {
	var b strings.Builder
	b.WriteString(`# Completion of payterm for fish, made from its commands.
function __payterm_after --description 'the words so far are these'
	set -l so_far
	for word in (commandline -opc)[2..-1]
		string match -q -r '^[a-z]' -- $word; and set -a so_far $word
	end
	test "$so_far" = "$argv[1]"; or test "$argv[2]" = leaf; and string match -q -- "$argv[1] *" "$so_far "
end
`)
	root := ctx.Model.Node
	c := completions(root)
	helps := map[string]string{}
	for _, one := range commands(root, "") {
		helps[one.words] = one.node.Help
	}
	quote := func(text string) string { return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'" }
	for _, k := range slices.Sorted(maps.Keys(c.words)) {
		for _, word := range c.words[k] {
			fmt.Fprintf(&b, "complete -c payterm -f -n %s -a %s", quote("__payterm_after "+quote(k)), word)
			if help := helps[strings.TrimSpace(k+" "+word)]; help != "" {
				b.WriteString(" -d " + quote(help))
			}
			b.WriteString("\n")
		}
		for _, flag := range c.flags[k] {
			fmt.Fprintf(&b, "complete -c payterm -n %s -l %s\n", quote("__payterm_after "+quote(k)+" leaf"),
				strings.TrimPrefix(flag, "--"))
		}
	}
	_, err := os.Stdout.WriteString(b.String())
	return err
}
