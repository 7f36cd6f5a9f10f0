import WasmFormat

/// Makes a module that shows a difference smaller.
struct Shrinker {
    let comparison: Comparison
    let way: CompiledWay
    let stackLimit: UInt32
    var run: FuzzRun
    /// Attempts that are left.
    private var attempts = 1_500

    init(comparison: Comparison, way: CompiledWay, stackLimit: UInt32, run: FuzzRun) {
        self.comparison = comparison
        self.way = way
        self.stackLimit = stackLimit
        self.run = run
    }

    private mutating func differs(_ bytes: [UInt8], _ run: FuzzRun) -> String? {
        guard attempts > 0, let module = try? FuzzModule(bytes, stackLimit: stackLimit) else { return nil }
        attempts -= 1
        guard let expected = try? module.interpret(run) else { return nil }
        return (try? comparison.difference(module, [run], expected: [expected], ways: [way]))??.text
    }

    /// The smallest module found, and a text that says what differs in it, for the report.
    func shrink(_ bytes: [UInt8]) -> (bytes: [UInt8], text: String) {
        var copy = self
        return copy.reduce(bytes)
    }

    private mutating func reduce(_ bytes: [UInt8]) -> (bytes: [UInt8], text: String) {
        dropCalls(bytes)
        var smallest = bytes
        guard let raw = RawModule(bytes) else { return (bytes, "") }
        for index in raw.bodies.indices {
            if let smaller = replaceBody(smallest, index) { smallest = smaller }
        }
        for index in raw.bodies.indices { smallest = cutBody(smallest, index) }
        dropCalls(smallest)
        let text = differs(smallest, run) ?? "no difference after shrinking"
        let calls = run.calls.map { "\n    \($0)" }.joined()
        return (smallest, "\nshrunk to \(smallest.count) bytes: \(text)\(calls)")
    }

    private mutating func dropCalls(_ bytes: [UInt8]) {
        var width = max(1, run.calls.count / 2)
        while true {
            var start = 0
            while start < run.calls.count {
                var shorter = run
                shorter.calls.removeSubrange(start..<min(start + width, run.calls.count))
                if differs(bytes, shorter) != nil { run = shorter } else { start += width }
            }
            if width == 1 { return }
            width /= 2
        }
    }

    /// The module with `unreachable` as one body.
    private mutating func replaceBody(_ bytes: [UInt8], _ index: Int) -> [UInt8]? {
        guard var raw = RawModule(bytes) else { return nil }
        raw.bodies[index] = [0, 0x00, 0x0B]
        return differs(raw.bytes, run) == nil ? nil : raw.bytes
    }

    /// The module with as many instructions as possible taken out of one body.
    private mutating func cutBody(_ bytes: [UInt8], _ index: Int) -> [UInt8] {
        var current = bytes
        var width = 64
        while width >= 1 {
            var start = 0
            while attempts > 0 {
                guard let module = try? Module.decode(current, profile: .fvm), var raw = RawModule(current) else {
                    break
                }
                let offsets = module.bodies[index].instructions.map { Int($0.offset) }
                guard start + width < offsets.count, let last = offsets.last else { break }
                // Instructions stand at the end of the body's bytes.
                let base = last + 1 - raw.bodies[index].count
                raw.bodies[index].removeSubrange((offsets[start] - base)..<(offsets[start + width] - base))
                if differs(raw.bytes, run) != nil { current = raw.bytes } else { start += 1 }
            }
            width = width > 8 ? width / 2 : width - 1
        }
        return current
    }
}
