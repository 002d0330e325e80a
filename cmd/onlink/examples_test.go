package main

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the examples of docs/commands.md and docs/explain.md print into these")

// What the pages about commands say a command prints in the lab, it prints: all indented by four columns, the command behind "$ ", its input
// behind "> ", and what it prints below, until the next command or what is not indented.
func TestExamples(t *testing.T) {
	for page, atLeast := range map[string]int{"commands.md": 10, "explain.md": 3} {
		t.Run(page, func(t *testing.T) { testExamples(t, "../../docs/"+page, atLeast) })
	}
}

func testExamples(t *testing.T, name string, atLeast int) {
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(page), "\n")
	var now []string
	examples := 0
	for i := 0; i < len(lines); {
		command, ok := strings.CutPrefix(lines[i], "    $ onlink ")
		now = append(now, lines[i])
		i++
		if !ok || !strings.Contains(command, "--node ") {
			continue
		}
		var input strings.Builder
		for ; i < len(lines) && strings.HasPrefix(lines[i], "    > "); i++ {
			now = append(now, lines[i])
			input.WriteString(lines[i][len("    > "):] + "\n")
		}
		first := i
		for i < len(lines) && (lines[i] == "" || strings.HasPrefix(lines[i], "    ")) && !strings.HasPrefix(lines[i], "    $ ") {
			i++
		}
		for i > first && lines[i-1] == "" {
			i--
		}
		var out strings.Builder // of both, as a terminal shows them
		(&invocation{shellWords(command), strings.NewReader(input.String()), &out, &out}).run(t.Context())
		var printed []string
		for _, line := range strings.Split(strings.TrimRight(out.String(), "\n"), "\n") {
			if line != "" {
				line = "    " + line
			}
			printed = append(printed, line)
		}
		if out.Len() == 0 {
			printed = nil
		}
		now = append(now, printed...)
		if want := strings.Join(lines[first:i], "\n"); !*update && strings.Join(printed, "\n") != want {
			t.Errorf("onlink %s: prints\n%s\nnot\n%s\n(go test -run TestExamples -update writes the page anew)", command, strings.Join(printed, "\n"), want)
		}
		examples++
	}
	if examples < atLeast {
		t.Errorf("%d examples were found", examples)
	}
	if *update {
		if err := os.WriteFile(name, []byte(strings.Join(now, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shellWords takes a command apart as a shell does; what is in single quotes is one word.
func shellWords(command string) (words []string) {
	for i, part := range strings.Split(command, "'") {
		if i%2 == 0 {
			words = append(words, strings.Fields(part)...)
		} else {
			words = append(words, part)
		}
	}
	return words
}
