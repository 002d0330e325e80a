package main

import "io/fs"

// ownFile reports true: folders of the user's profile are the user's alone.
func ownFile(fs.FileInfo) bool { return true }
