// Package image tests the scripts that make images and bundles, write cards and keep the state of the slots.
// With make ab-test it tests an image itself, on a virtual board.
package image
