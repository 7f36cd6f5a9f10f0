extension MeteringPlan {
    /// The plan as text, one fact a line, stable across releases:
    ///
    ///     smelt-plan 1
    ///     stack-limit ELEMENTS
    ///     function INDEX stack ELEMENTS
    ///     trampoline INDEX MILLIGAS
    ///     block POSITION MILLIGAS
    ///     linear POSITION MILLIGAS-PER-UNIT
    ///     charge POSITION MILLIGAS…
    ///     inline POSITION [height] [charge]
    ///     store POSITION
    ///
    /// Functions come in index order, each followed by its trampoline if it has one, its blocks and its
    /// run-time priced instructions in ascending order of position in the source body. Then comes what
    /// compiled code makes of them, which is no part of the plan and no matter of consensus: where it charges blocks,
    /// several in one piece where nobody can tell; the calls in whose place the callee is lowered, whether the height is
    /// compared there, and whether the callee's block is charged inside; and where it stores the counter.
    ///
    /// - Parameter counters: by function the module defines; none where the counter is always in the context.
    public func text(counters: [CounterPlan] = []) -> String {
        var lines = ["smelt-plan 1", "stack-limit \(stackLimit)"]
        let imported = trampolines.count - functions.count
        for (index, function) in functions.enumerated() {
            lines.append("function \(imported + index) stack \(function.stackCost)")
            if let milligas = trampolines[imported + index] {
                lines.append("trampoline \(imported + index) \(milligas)")
            }
            for block in function.blocks { lines.append("block \(block.position) \(block.milligas)") }
            for charge in function.linear { lines.append("linear \(charge.position) \(charge.milligasPerUnit)") }
            if index < counters.count { lines += counters[index].lines }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension CounterPlan {
    /// One fact a line.
    fileprivate var lines: [String] {
        charges.map { (["charge \($0.position)"] + $0.parts.map(String.init)).joined(separator: " ") }
            + calls.map {
                "inline \($0.position)" + ($0.isTested ? " height" : "") + ($0.chargesItself ? " charge" : "")
            }
            + stores.map { "store \($0)" }
    }
}
