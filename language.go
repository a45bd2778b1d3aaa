package payterm

// Languages are those that screens and slips are in, by ISO 639-1, in the order of the
// digits that choose them at the keys.
var Languages = [...]string{"en", "fr", "zh"}
