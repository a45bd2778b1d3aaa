// Package image tests what makes images and bundles, writes cards and keeps the state of
// the slots; and with make ab-test an image itself, on a virtual board.
package image
