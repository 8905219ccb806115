// Package measure holds what the programs under bench read off the machine: processor time and memory of this process and of
// others, the load, and compressed inputs. It reads /proc, so it is for Linux; what cannot be read counts as nothing, because a
// figure that is missing must not end a measurement. It is not for the program itself. Start reading at Processor.
package measure
