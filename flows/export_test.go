package flows

import "flag"

// Update rewrites what the tests hold the machines to: the stories and the
// generated parts of docs/flows.md.
var Update = flag.Bool("update", false, "rewrite testdata/flows and the generated parts of docs/flows.md")

// Facts is the order without what no journal keeps.
func (o Order) Facts() Order { return o.facts() }
