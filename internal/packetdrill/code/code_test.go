package code

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// run runs pieces of code in a row and returns what they print.
func run(t *testing.T, in *Interp, pieces ...string) string {
	t.Helper()
	var out strings.Builder
	in.Print = func(s string) { out.WriteString(s) }
	for _, text := range pieces {
		if err := in.Run("x.pkt", 1, 1, text); err != nil {
			t.Fatalf("%v\nin:\n%s", err, text)
		}
	}
	return out.String()
}

// TestExpressions holds expressions to what Python 3 prints of them.
func TestExpressions(t *testing.T) {
	for _, row := range []struct{ code, want string }{
		{"1 + 2 * 3", "7"}, {"(1 + 2) * 3", "9"}, {"7 // 2", "3"}, {"-7 // 2", "-4"}, {"-7 % 3", "2"}, {"7 % -3", "-2"},
		{"7 / 2", "3.5"}, {"6 / 2", "3.0"}, {"2 ** 10", "1024"}, {"2 ** -1", "0.5"}, {"-2 ** 2", "-4"}, {"(-1) ** 3", "-1"},
		{"1 << 20", "1048576"}, {"0xff >> 4", "15"}, {"6 & 3 | 8 ^ 1", "11"}, {"~5", "-6"}, {"0x10 + 0b11 + 0o17 + 1_000", "1034"},
		{"2 ** 100", "1267650600228229401496703205376"}, {"18446744073709551615 + 1", "18446744073709551616"},
		{"1.5 + 1", "2.5"}, {"0.1 + 0.2", "0.30000000000000004"}, {"1e3", "1000.0"}, {"1e16", "1e+16"}, {"1e-5", "1e-05"},
		{"7.5 // 2", "3.0"}, {"-7.5 % 2", "0.5"}, {"10L", "10"}, {"1 == 1.0", "True"}, {"True + 1", "2"}, {"True == 1", "True"},
		{"1 < 2 < 3", "True"}, {"1 < 3 < 2", "False"}, {"3 > 2 == 2", "True"}, {"1 != 2", "True"}, {"1 <> 2", "True"},
		{"not 1 == 2", "True"}, {"1 and 0 or 5", "5"}, {"None or 'x'", "x"}, {"0 and undefined", "0"}, {"1 or undefined", "1"},
		{"'a' if 1 > 2 else 'b'", "b"}, {"1 if 0 else 2 if 0 else 3", "3"}, {"None is None", "True"}, {"1 is not None", "True"},
		{"2 in [1, 2]", "True"}, {"3 not in (1, 2)", "True"}, {"'ell' in 'hello'", "True"}, {"'a' in {'a': 1}", "True"},
		{"'a' < 'b'", "True"}, {"[1, 2] < [1, 3]", "True"}, {"(1, 2) == (1, 2)", "True"}, {"[1] == (1,)", "False"},
		{"[1, 'a', None, True, 1.0]", "[1, 'a', None, True, 1.0]"}, {"(1,)", "(1,)"}, {"()", "()"}, {"{'a': [1], 2: 'b'}", "{'a': [1], 2: 'b'}"},
		{"[1, 2, 3][-1]", "3"}, {"'abc'[1]", "b"}, {"[1, 2, 3][1:]", "[2, 3]"}, {"'abcdef'[1:-1]", "bcde"}, {"(1, 2, 3)[:2]", "(1, 2)"},
		{"[1] + [2] * 2", "[1, 2, 2]"}, {"'ab' * 2 + 'c'", "ababc"}, {"2 * 'ab'", "abab"}, {"'a' 'b' \"c\"", "abc"},
		{"[x * 2 for x in range(4) if x % 2]", "[2, 6]"}, {"sum(x for x in [1, 2, 3])", "6"}, {"{'a': 1}['a']", "1"},
		{"abs(-3)", "3"}, {"abs(-1.5)", "1.5"}, {"min(3, 1, 2)", "1"}, {"max([3, 1, 2])", "3"}, {"min(1, 0.5)", "0.5"},
		{"max('aa', 'b', key=len)", "aa"}, {"int(3.9)", "3"}, {"int('42')", "42"}, {"int('ff', 16)", "255"}, {"float('1.5')", "1.5"}, {"float(2)", "2.0"},
		{"len('abc')", "3"}, {"len([1, 2])", "2"}, {"str(1.0)", "1.0"}, {"repr('a')", "'a'"}, {"bool([])", "False"},
		{"range(3)", "[0, 1, 2]"}, {"list(range(1, 7, 2))", "[1, 3, 5]"}, {"list(range(3, 0, -1))", "[3, 2, 1]"},
		{"round(2.5)", "2"}, {"round(3.5)", "4"}, {"round(2.675, 1)", "2.7"}, {"round(-0.5)", "0"}, {"sorted([3, 1, 2], reverse=True)", "[3, 2, 1]"},
		{"any([0, 1])", "True"}, {"all([0, 1])", "False"}, {"divmod(-7, 2)", "(-4, 1)"}, {"pow(2, 5)", "32"}, {"hex(255)", "0xff"},
		{"list(zip([1, 2], 'ab'))", "[(1, 'a'), (2, 'b')]"}, {"list(enumerate('ab', 1))", "[(1, 'a'), (2, 'b')]"},
		{"'%d %s %r' % (5, 'a', 'b')", "5 a 'b'"}, {"'%5d|%-5d|%05d|%+d' % (42, 42, 42, 42)", "   42|42   |00042|+42"},
		{"'%x %X %#x %o' % (255, 255, 255, 8)", "ff FF 0xff 10"}, {"'%.2f %8.3f %e' % (3.14159, 2.5, 12345.678)", "3.14    2.500 1.234568e+04"},
		{"'%g %g' % (0.0001, 1e10)", "0.0001 1e+10"}, {"'%d%%' % 50", "50%"}, {"'%s' % [1, 2]", "[1, 2]"}, {"'%d' % 3.7", "3"}, {"'%5s|%-5s|%.2s' % ('a', 'b', 'cde')", "    a|b    |cd"},
		{"'%(a)d %(b)s' % {'a': 1, 'b': 2}", "1 2"}, {"'%c%c' % (65, 'b')", "Ab"}, {"'%*d' % (5, 1)", "    1"},
		{"'{0} {1}'.format(1, 2)", "1 2"}, {"'{a:>5}|{b:.2f}'.format(a=1, b=2.0)", "    1|2.00"}, {"'{{}}'.format()", "{}"},
		{"'{:,}'.format(1234567)", "1,234,567"}, {"'{:#x} {:08b} {:^5}'.format(255, 5, 'a')", "0xff 00000101   a  "},
		{"f'{1 + 1} {\"a\"!r:>4} {3.14159:.1f}{{}}'", "2  'a' 3.1{}"}, {"'a,b'.split(',')", "['a', 'b']"}, {"'-'.join(['a', 'b'])", "a-b"},
		{"'abc'.startswith('ab')", "True"}, {"'ABC'.lower()", "abc"}, {"' a '.strip()", "a"}, {"'aXa'.replace('a', 'b')", "bXb"}, {"'abc'.find('c')", "2"},
		{"(lambda x, y=2: x * y)(3)", "6"}, {"[1, 2, 1].count(1)", "2"}, {"{'a': 1}.get('b', 7)", "7"}, {"{'a': 1}.items()", "[('a', 1)]"},
		{"list(reversed([1, 2]))", "[2, 1]"}, {"ord('A')", "65"}, {"chr(66)", "B"}, {"oct(8)", "0o10"}, {"tuple([1])", "(1,)"},
		{"2.0 // 0.1", "19.0"}, {"0 / -7", "-0.0"}, {"-(1.5)", "-1.5"}, {"+2", "2"}, {"float('inf')", "inf"}, {"-float('inf')", "-inf"},
		{"'%5.1f|%-8.2e|%G' % (float('inf'), 1.5, 1e-10)", "  inf|1.50e+00|1E-10"}, {"'%+.1f % d' % (1.25, 3)", "+1.2  3"},
		{"'{:.1%} {:+} {:,}'.format(0.5, 3.0, 1e3)", "50.0% +3.0 1,000.0"}, {"'{:*^7}|{:<3}|{!r}'.format('a', 1, 'b')", "***a***|1  |'b'"},
		{"f'{max(1, 2):03d}{[1, 2][0]}' 'x'", "0021x"}, {"f\"{'a' + 'b'!r}\"", "'ab'"}, {"[3, 1, 2].index(1)", "1"}, {"(1, 2, 1).count(1)", "2"},
		{"{'a': 1}.keys()", "['a']"}, {"{'a': 1}.values()", "[1]"}, {"{'a': 1}.get('a')", "1"}, {"{1: 2} == {1: 2}", "True"}, {"{1: 2} == {1: 3}", "False"},
		{"'abc'.endswith('bc')", "True"}, {"'aba'.count('a')", "2"}, {"' a b '.split()", "['a', 'b']"}, {"'a b'.upper().lstrip()", "A B"}, {"' a '.rstrip()", " a"},
		{"len({1: 2})", "1"}, {"max(x for x in (1, 5, 2))", "5"}, {"min([], default=3)", "3"}, {"sum([1, 2], 10)", "13"}, {"any([])", "False"}, {"all([])", "True"},
		{"sorted(['bb', 'a'], key=lambda s: len(s))", "['a', 'bb']"}, {"int()", "0"}, {"float()", "0.0"}, {"str()", ""}, {"bool()", "False"}, {"round(1234.5, -2)", "1200.0"},
		{"not not 5", "True"}, {"1 if [] else 2", "2"}, {"'a' * -1", ""}, {"[] or {} or () or ''", ""}, {"None == 0", "False"}, {"'1' == 1", "False"},
		{"1e308 * 10", "inf"}, {"0.1 + 0.2 == 0.3", "False"}, {"10 ** 20 > 1e19", "True"}, {"2 ** 64 - 1 == 18446744073709551615", "True"}, {"True & False", "False"}, {"True | 2", "3"},
		{"TCP_ESTABLISHED", "1"}, {"TCP_CA_Loss", "4"}, {"TCPI_OPT_SACK | TCPI_OPT_WSCALE", "6"}, {"EAGAIN", "11"},
		{"1 \\\n + 2", "3"}, {"(1 +\n   2)", "3"}, {"'it''s'", "its"}, {"\"it's\"", "it's"}, {"'\\x41\\n'", "A\n"}, {"r'\\n'", "\\n"}, {"'''a\nb'''", "a\nb"},
	} {
		if got := run(t, New(), "print("+row.code+")"); got != row.want+"\n" {
			t.Errorf("%s\n  got %q\n want %q", row.code, got, row.want+"\n")
		}
	}
}

func TestStatements(t *testing.T) {
	for _, row := range []struct{ code, want string }{
		{"x = y = 3\nx += 1; y *= 2\nprint(x, y)", "4 6\n"},
		{"a, b = 1, 2\na, b = b, a\nprint(a, b)", "2 1\n"},
		{"(a, b), c = [1, 2], 3\nprint(a, b, c)", "1 2 3\n"},
		{"a = [1, 2]\na[0] = 5\na += [3]\na.append(4)\nprint(a)", "[5, 2, 3, 4]\n"},
		{"d = {}\nd['x'] = 1\nd['x'] += 1\nprint(d)", "{'x': 2}\n"},
		{"if 0:\n  print(1)\nelif 1:\n  print(2)\nelse:\n  print(3)\nprint(4)", "2\n4\n"},
		{"if 1: print(1); print(2)", "1\n2\n"},
		{"for i in range(5):\n\tif i == 1: continue\n\tif i == 3: break\n\tprint(i)\nelse:\n\tprint('no')", "0\n2\n"},
		{"for i, c in enumerate('ab'):\n    print(i, c)\nelse:\n    print('end')", "0 a\n1 b\nend\n"},
		{"n = 3\nwhile n:\n  n -= 1\n  if n == 1:\n    break\nprint(n)", "1\n"},
		{"def f(a, b=2):\n  '''doc'''\n  if a > b:\n    return a\n  return b\nprint(f(1), f(3), f(b=9, a=1))", "2 3 9\n"},
		{"def f(n):\n  return 1 if n < 2 else n * f(n - 1)\nprint(f(20))", "2432902008176640000\n"},
		{"n = 0\ndef f():\n  global n\n  n += 1\nf(); f()\nprint(n)", "2\n"},
		{"def f():\n  x = 1\nx = 5\nf()\nprint(x)", "5\n"},
		{"print 'a', 1\nprint\nprint 'x=%d' % 5", "a 1\n\nx=5\n"},
		{"print('a', 'b', sep='-', end='!')", "a-b!"},
		{"import sys, math as m\nprint(m.sqrt(4), sys.maxsize)", "2.0 9223372036854775807\n"},
		{"import math\nprint(math.floor(2.7), math.ceil(2.1), math.sqrt(4))", "2 3 2.0\n"},
		{"import math as m\nprint(m.log(8, 2))", "3.0\n"},
		{"from math import sqrt\nfrom __future__ import print_function\nprint(sqrt(9))", "3.0\n"},
		{"import sys\nsys.stderr.write('x\\n')\nsys.exit(0)", "x\n"},
		{"assert 1 == 1, 'no'\npass", ""},
		{"a = [3, 1]\na.sort()\na.extend((7, 8))\nprint(a.pop(), a.pop(0), a)\na.reverse()\nprint(a)", "8 1 [3, 7]\n[7, 3]\n"},
		{"import math, sys\nprint(math.pi > 3, math.trunc(-1.5), math.pow(2, 3), math.fabs(-1), math.log(1), math.inf)\nsys.stdout.flush()", "True -1 8.0 1.0 0.0 inf\n"},
		{"def f(): return\nprint(f(), f, len, None)", "None <function f> <built-in function len> None\n"},
		{"while 0:\n  pass\nelse:\n  print('e')", "e\n"},
		{"def f():\n  while True:\n    for x in [1]:\n      return x\nprint(f())", "1\n"},
		{"import sys\nprint >>sys.stderr, 'a'", "a\n"},
		{"x = 'it\\'s'; print(repr(x), repr('\\x01\\t\\\\'))", "\"it's\" '\\x01\\t\\\\'\n"},
		{"# nothing\n\n  \n", ""},
		{"", ""},
		// Indented as a whole, with what stands behind %{ or without.
		{"\n   x = 1\n   if x:\n     print(x)\n   print(2)\n", "1\n2\n"},
		{"x = 1\n     y = 2\n     print(x + y)\n", "3\n"},
		{"\n# a comment\n\tassert True # another\n\tprint('end')", "end\n"},
		{"if 1:\r\n  print(1)\r\n", "1\n"},
	} {
		if got := run(t, New(), row.code); got != row.want {
			t.Errorf("%s\n  got %q\n want %q", row.code, got, row.want)
		}
	}
}

// TestOneProgram: all code of a script is one program, over which the fields of TCP_INFO change.
func TestOneProgram(t *testing.T) {
	in := New()
	in.Set("tcpi_snd_cwnd", uint32(10))
	run(t, in, "import math", "cwnd = tcpi_snd_cwnd\ndef half(x):\n  return math.ceil(x / 2)")
	in.Set("tcpi_snd_cwnd", 5)
	in.Set("tcpi_max_pacing_rate", uint64(math.MaxUint64))
	in.Set("list", []any{int8(1), uint16(2), "a", 1.5, true, nil})
	if got, want := run(t, in, "assert half(cwnd) == tcpi_snd_cwnd, tcpi_snd_cwnd", "print(tcpi_max_pacing_rate, list)"),
		"18446744073709551615 [1, 2, 'a', 1.5, True, None]\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if v, ok := in.Get("cwnd"); v != "10" || !ok {
		t.Error(v, ok)
	}
	if _, ok := in.Get("nothing"); ok {
		t.Error("there is a variable nobody set")
	}
}

func TestErrors(t *testing.T) {
	for _, row := range []struct{ code, want string }{
		{"assert tcpi_snd_cwnd == 11", "12:5: assertion failed: tcpi_snd_cwnd == 11 (tcpi_snd_cwnd is 10)"},
		{"assert tcpi_snd_cwnd == 11, tcpi_snd_cwnd", "12:5: assertion failed: tcpi_snd_cwnd == 11 (tcpi_snd_cwnd is 10): 10"},
		{"x = 1\nassert x < 5\nassert  x in (2,\n  3) and not name, 'x=%d' % x", "14:1: assertion failed: x in (2, 3) and not name (x is 1, name is 'a'): x=1"},
		{"assert False", "12:5: assertion failed: False"},
		{"assert len([tcpi_snd_cwnd]) == 2 or abs(x)", "12:45: x is not defined"},
		{"tcpi_what", "12:5: tcpi_what is not defined: no TCP_INFO has been read, or it has no such field"},
		{"\n\n  wrong", "14:3: wrong is not defined"},
		{"x = 1 / 0", "12:9: division by zero"},
		{"x = 1 % 0", "12:9: division by zero"},
		{"x = 1.0 // 0", "12:9: division by zero"},
		{"'a' + 1", "12:5: a string and a whole number cannot be used with +"},
		{"-'a'", "12:5: - cannot be used with a string"},
		{"~1.5", "12:5: ~ cannot be used with a float"},
		{"1.5 | 1", "12:5: | cannot be used with a float"},
		{"1 < 'a'", "12:5: a whole number and a string have no order"},
		{"1 << -1", "12:5: a number cannot be shifted by -1"},
		{"1 << 1000000", "12:5: the value is too large"},
		{"9 ** 9 ** 9", "12:5: the value is too large"},
		{"'a' * 1000000000", "12:5: the value is too large"},
		{"range(10 ** 9)", "12:5: the value is too large"},
		{"[1][5]", "12:5: the index 5 is out of range"},
		{"{}['a']", "12:5: the dictionary has no 'a'"},
		{"{[1]: 2}", "12:5: a list cannot be the key of a dictionary"},
		{"(1, 2)[0] = 1", "12:5: the elements of a tuple cannot be assigned to"},
		{"5[0]", "12:5: a whole number has no elements"},
		{"5()", "12:5: a whole number cannot be called"},
		{"'a'.what", "12:5: a string has no what"},
		{"int('x')", "12:5: int: 'x' is no whole number"},
		{"int(None)", "12:5: int: None is no number"},
		{"len()", "12:5: len: 0 arguments are not what it takes"},
		{"min([])", "12:5: min: there is no element"},
		{"'%d' % 'a'", "12:5: %d: a whole number is needed, not a string"},
		{"'%d %d' % 1", "12:5: the format '%d %d' wants more than 1 values"},
		{"'%d' % (1, 2)", "12:5: the format '%d' takes 1 values, not 2"},
		{"'%z' % 1", "12:5: the format has % without a conversion that is known"},
		{"f'{x}'", "12:5: x is not defined"},
		{"f'{'", "12:5: found { without } in a format"},
		{"'{'.format(1)", "12:5: found { without } in a format"},
		{"'{:q}'.format(1)", "12:5: found the format 'q', which is none"},
		{"a, b = 1, 2, 3", "12:5: 3 values are given to 2 variables"},
		{"for x in 5: pass", "12:14: a whole number has no elements"},
		{"while True: pass", "12:11: the code does not come to an end"},
		{"def f(): return f()\nf()", "12:21: the calls nest too deeply"},
		{"def f(a): pass\nf()", "13:1: f misses the argument a"},
		{"def f(a): pass\nf(1, 2)", "13:1: f takes 1 arguments, not 2"},
		{"def f(a): pass\nf(b=2)", "13:1: f does not take the argument b"},
		{"assert not (tcpi_snd_cwnd > 5 if name else -name) or [name][0:tcpi_snd_cwnd] == {}.get(name)",
			"12:5: assertion failed: not (tcpi_snd_cwnd > 5 if name else -name) or [name][0:tcpi_snd_cwnd] == {}.get(name) (tcpi_snd_cwnd is 10, name is 'a')"},
		{"2.0 ** 5000", "12:5: the value is too large"},
		{"(-8) ** 0.5", "12:5: the root of a negative number is none"},
		{"a = []\nfor i in range(17): a = [a, a, a]\na == [a[0], a[1], a[2]]", "14:21: the values are too large to be looked through"},
		{"'{:d}'.format(1.5)", "12:5: {:d}: a whole number is needed, not a float"},
		{"'%c' % -1", "12:5: %c: a character is needed"},
		{"chr('ab')", "12:5: %c: a whole number is needed, not a string"},
		{"'%*d' % (-1, 2)", "12:5: the width of a format is a whole number up to 1000"},
		{"'%99999d' % 2", "12:5: the format has % without a conversion that is known"},
		{"'{x}'.format(1)", "12:5: the format wants the argument x"},
		{"'{1}'.format(1)", "12:5: format: an argument is missing"},
		{"'}'.format(1)", "12:5: found } without { in a format"},
		{"','.join([1])", "12:5: join: found a whole number, expected strings"},
		{"'a'.find(1)", "12:5: find: found a whole number, expected a string"},
		{"[].pop()", "12:5: the index -1 is out of range"},
		{"[1].index(2)", "12:5: index: 2 is not in the list"},
		{"(1,).append(2)", "12:5: a tuple has no append"},
		{"{}.what()", "12:5: a dictionary has no what"},
		{"range(1, 2, 0)", "12:5: range: a step of 0 leads nowhere"},
		{"range(1.5)", "12:5: range: found 1.5, expected a whole number"},
		{"ord('ab')", "12:5: ord: a string of one character is needed"},
		{"round('a')", "12:5: round: found 'a', expected a number"},
		{"float('a')", "12:5: float: 'a' is no number"},
		{"int(float('nan'))", "12:5: int: a finite number is needed"},
		{"int('1', 99)", "12:5: int: the base 99 is none"},
		{"sorted([1, 'a'])", "12:5: sorted: a string and a whole number have no order"},
		{"max(1, None)", "12:5: max: None and a whole number have no order"},
		{"None in 'a'", "12:5: in a string there are strings only, not None"},
		{"[1]['a']", "12:5: an index is a whole number, not a string"},
		{"5[1:]", "12:5: a whole number has no elements"},
		{"len.x", "12:5: a function has no x"},
		{"raise", "12:5: raised: an exception"},
		{"raise ValueError('bad')", "12:5: raised: ValueError: bad"},
		{"import numpy", "12:5: there is no module numpy"},
		{"from math import nothing", "12:5: the module math has no nothing"},
		{"import sys\nsys.exit('bad')", "13:1: sys.exit: bad"},
		// Syntax.
		{"assert", "12:11: found the end of the line, expected an expression"},
		{"assert (1", "12:14: found the end of the line, expected ) behind an expression"},
		{"x = = 1", "12:9: found =, expected an expression"},
		{"1 = x", "12:5: this cannot be assigned to"},
		{"f() += 1", "12:5: this cannot be assigned to"},
		{"a b", "12:7: found b, expected the end of the statement"},
		{"if 1", "12:9: found the end of the line, expected : in front of a block"},
		{"if 1:\nx = 1", "13:1: found x, expected an indented block"},
		{"\nx = 1\n  y = 2", "14:3: the line is indented more than the code before it"},
		{"\n  if 1:\n      x = 1\n    y = 2", "15:5: the indentation matches none of the lines before"},
		{"\n  x = 1\ny = 2", "14:1: the line is indented less than the code before it"},
		{"x = 'abc", "12:9: a string that begins here has no end"},
		{"x = 5 $ 3", "12:11: found '$', which begins nothing"},
		{"x = 0x", "12:9: found 0x, expected a number"},
		{"break", "12:5: break outside of a loop"},
		{"return 1", "12:5: return outside of a function"},
		{"try:\n  pass", "12:5: try is not supported"},
		{"class X: pass", "12:5: class is not supported"},
		{"with x: pass", "12:5: with is not supported"},
		{"del x", "12:5: del is not supported"},
		{"f(a=1, 2)", "12:12: found 2, expected name = value, as the argument before is one"},
		{"[x for x in a for y in b]", "12:19: a comprehension with two loops is not supported"},
		{"def f(a, a): pass", "12:15: the parameter a is there twice"},
		{strings.Repeat("(", 100), "12:64: the code nests too deeply"},
	} {
		in := New()
		in.Set("tcpi_snd_cwnd", 10)
		in.Set("name", "a")
		err := in.Run("x", 12, 5, row.code)
		var bad *Error
		if !errors.As(err, &bad) {
			t.Errorf("%q: %v, want an error", row.code, err)
		} else if got := strings.TrimPrefix(err.Error(), "x:"); got != row.want {
			t.Errorf("%q\n  got %s\n want %s", row.code, got, row.want)
		}
	}
}

// TestCheck: syntax can be looked at without running the code.
func TestCheck(t *testing.T) {
	if err := Check("x", 1, 1, "print(undefined)\nassert False"); err != nil {
		t.Error(err)
	}
	if err := Check("x", 3, 2, "a b"); err == nil || err.Error() != "x:3:4: found b, expected the end of the statement" {
		t.Error(err)
	}
}

func FuzzRun(f *testing.F) {
	for _, seed := range []string{
		"assert tcpi_x == 10, 'x %d' % tcpi_x\nprint(f'{tcpi_x:>{5}}')",
		"def f(a, b=2):\n  for i in range(a):\n    if i in (1, b): break\n  else:\n    return [i ** 2 for i in [1]]\n  return {}\nf(3)",
		"import math\nx = math.floor(1.5) // 1 % 2 ** 3 << 1\nx += 1; a, (b, c) = 1, [2, 3]\nwhile x: x -= 1",
		"a = [1]\nfor i in range(40): a = [a, a]\nprint a == a, '%r %5.2f' % (a, 1.0), '{0:,} {}'.format(1)",
		"x = 'a' * 3 + \"b\"[0] if not 0 or 1 < 2 <= 3 is not None else lambda y: y\nx.join(['a'])[1:-1]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in := New()
		in.Set("tcpi_x", 10)
		in.Print = func(string) {}
		err := in.Run("x", 1, 1, text)
		if err == nil {
			return
		}
		var bad *Error
		if !errors.As(err, &bad) {
			t.Fatalf("%T: %v", err, err)
		}
		if bad.Line < 1 || bad.Line > strings.Count(text, "\n")+1 || bad.Col < 1 || bad.Col > len(text)+1 {
			t.Fatalf("the position %v is outside of the code", bad)
		}
	})
}
