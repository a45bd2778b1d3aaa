package lcd

// TextPages is for tests.
var TextPages = textPages
