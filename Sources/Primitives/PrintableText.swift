extension String {
    /// The text with everything shown as an escape that a terminal would act on: control characters and marks that
    /// change the direction of writing. Names and messages come from files of strangers.
    ///
    /// - Parameter keepingLines: leaves line feeds and tabs as they are.
    public func printable(keepingLines: Bool = false) -> String {
        func isKept(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            case 0x09, 0x0A: keepingLines
            case 0x00...0x1F, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: false
            default: true
            }
        }
        if unicodeScalars.allSatisfy(isKept) { return self }
        var text = ""
        for scalar in unicodeScalars {
            if isKept(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                let digits = String(scalar.value, radix: 16)
                text += scalar.value < 0x80 ? "\\x" + (digits.count == 1 ? "0" : "") + digits : "\\u{\(digits)}"
            }
        }
        return text
    }
}
