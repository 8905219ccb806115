package main

import (
	"reflect"
	"strings"
)

// grammar gives the part of the grammar of cli that args need: only the command that they begin with, where they begin with
// one. To describe all commands takes longer than most of them take to do their work.
func grammar(args []string) any {
	all := reflect.TypeFor[cli]()
	for i := range all.NumField() {
		if field := all.Field(i); len(args) > 0 && args[0] == strings.ToLower(field.Name) {
			return reflect.New(reflect.StructOf([]reflect.StructField{field})).Interface()
		}
	}
	return new(cli)
}
