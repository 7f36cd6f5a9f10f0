import Primitives
import Testing

@Suite struct PrintableTextTests {
    @Test func whatATerminalWouldActOnIsShown() {
        #expect("plain text, ünïcode, 漢字".printable() == "plain text, ünïcode, 漢字")
        #expect("\u{1B}[31mred\u{7}".printable() == "\\x1b[31mred\\x07")
        #expect("a\u{9B}1m\u{202E}b\u{2066}".printable() == "a\\u{9b}1m\\u{202e}b\\u{2066}")
        #expect("one\r\ntwo\t".printable() == "one\\x0d\\x0atwo\\x09")
        #expect("one\ntwo\t\u{0}".printable(keepingLines: true) == "one\ntwo\t\\x00")
    }
}
