import Captures
import WasmFormat

/// Makes inputs that are nearly others.
struct InputVariation {
    /// Milligas a varied call may have at least; more where what it is made of took more.
    private static let gas: Int64 = 40_000_000
    /// Below it there are no pointers.
    private static let leastAddress: UInt32 = 1_024
    /// Words of a structure that are changed.
    private static let words = 24
    private static let mostConstants = 400

    /// Numbers that a function has in its code.
    static func constants(_ body: FunctionBody) -> [UInt64] {
        var found: Set<UInt64> = []
        for instruction in body.instructions where found.count < mostConstants {
            switch instruction.opcode {
            case .i32Const: found.insert(instruction.bits & 0xFFFF_FFFF)
            case .i64Const: found.insert(instruction.bits)
            case .brTable:
                let labels = body.branchTables[Int(instruction.index)].count
                for label in 0..<min(labels, 64) { found.insert(UInt64(label)) }
            default: break
            }
        }
        return found.sorted()
    }

    /// One to four changes to an input.
    ///
    /// - Parameters:
    ///   - constants: what the function may compare with.
    ///   - peers: other inputs of the function.
    func vary(
        _ input: ActorInput, _ type: FunctionType, _ constants: [UInt64], peers: [ActorInput],
        _ random: inout WitnessRandom
    ) -> ActorInput {
        var changed = input
        changed.gas = max(Self.gas, 2 * input.used)
        for _ in 0...random.below(4) {
            switch random.below(24) {
            case 22...23 where input.hostCalls > 0: changeAnswer(&changed, constants, &random)
            case 16...21 where !changed.comparisons.isEmpty: follow(&changed, type, &random)
            case 0...3 where !type.parameters.isEmpty:
                let position = random.below(type.parameters.count)
                changed.arguments[position] = argument(
                    position, type.parameters[position], changed, constants, peers, &random)
            case 4...9 where !input.reads.isEmpty:
                let place = input.reads[random.below(input.reads.count)]
                changeMemory(at: place, &changed, constants, &random)
            case 4...10:
                guard let start = address(changed, &random) else { continue }
                let place = start &+ UInt32(4 * random.below(random.below(2) == 0 ? 4 : Self.words))
                changeMemory(at: place, &changed, constants, &random)
            case 11...12 where input.hostCalls > 0: changeAnswer(&changed, constants, &random)
            case 13:
                guard let peer = peers.isEmpty ? nil : peers[random.below(peers.count)] else { continue }
                mix(peer, into: &changed, &random)
            case 14 where input.log == nil: changed.seed = random.next()
            case 15:
                if random.below(3) == 0 { changed.gas = Int64(random.below(Int(clamping: max(400_000, input.used)))) }
            default: continue
            }
        }
        return changed
    }

    /// Puts one side of a comparison, or what lies beside it, where the other one may have come from.
    private func follow(_ input: inout ActorInput, _ type: FunctionType, _ random: inout WitnessRandom) {
        let comparison = input.comparisons[random.below(input.comparisons.count)]
        let isSwapped = random.below(2) == 0
        let old = isSwapped ? comparison.second : comparison.first
        let new = (isSwapped ? comparison.first : comparison.second) &+ [0, 0, 0, 1, .max][random.below(5)]
        var places: [Int] = input.arguments.indices.filter { input.arguments[$0] == old }
        let argumentCount = places.count
        places += input.reads.indices.filter { read in
            guard let word = input.word(at: input.reads[read]) else { return false }
            return UInt64(word) == old & 0xFFFF_FFFF || old < 0x100 && UInt64(word & 0xFF) == old
                || old < 0x1_0000 && UInt64(word & 0xFFFF) == old
        }
        guard !places.isEmpty else { return }
        let place = random.below(places.count)
        if place < argumentCount {
            let type = type.parameters[places[place]]
            input.arguments[places[place]] = type == .i32 || type == .f32 ? new & 0xFFFF_FFFF : new
            return
        }
        let address = input.reads[places[place]]
        let word = UInt64(input.word(at: address) ?? 0)
        // As many bytes as the number was found in.
        var width = old < 0x100 && word & 0xFF == old ? 1 : 2
        if word == old { width = new < 0x100 && random.below(4) == 0 ? 1 : 4 }
        if max(old, new) > 0xFFFF_FFFF { width = 8 }
        input.patches.append(
            .init(address: address, bytes: (0..<width).map { UInt8(truncatingIfNeeded: new >> (8 * UInt64($0))) }))
    }

    /// The arguments of one call on the state of another, or changes of both.
    private func mix(_ peer: ActorInput, into changed: inout ActorInput, _ random: inout WitnessRandom) {
        if random.below(2) == 0 {
            changed.patches += peer.patches
            changed.changes.merge(peer.changes) { own, _ in own }
        } else {
            changed.memory = peer.memory
            changed.globals = peer.globals
            changed.log = peer.log
            changed.position = peer.position
        }
        guard changed.arguments.count == peer.arguments.count, random.below(2) == 0 else { return }
        for position in changed.arguments.indices where random.below(2) == 0 {
            changed.arguments[position] = peer.arguments[position]
        }
    }

    private func changeAnswer(_ input: inout ActorInput, _ constants: [UInt64], _ random: inout WitnessRandom) {
        let call = random.below(input.hostCalls)
        if random.below(3) == 0 {
            input.changes[call] = .refusal(UInt64(1 + random.below(12)))
            return
        }
        if random.below(2) == 0 {
            input.changes[call] = .elsewhere(seed: random.next())
            return
        }
        let offset = random.below(random.below(2) == 0 ? 20 : 200)
        let bytes =
            random.below(2) == 0
            ? [byte(0, &random)] : word(0, input, at: 0, constants, &random)
        input.changes[call] = .written(write: random.below(2), offset: offset, bytes: bytes)
    }

    private func argument(
        _ position: Int, _ type: ValueType, _ input: ActorInput, _ constants: [UInt64], _ peers: [ActorInput],
        _ random: inout WitnessRandom
    ) -> UInt64 {
        let old = input.arguments[position]
        let value: UInt64
        switch random.below(11) {
        case 0: value = random.small()
        case 8...9 where !constants.isEmpty: value = constants[random.below(constants.count)]
        case 1: value = old &+ 1
        case 2: value = old &- 1
        case 3: value = old ^ 1 << UInt64(random.below(type == .i64 || type == .f64 ? 64 : 32))
        case 4: value = input.arguments[random.below(input.arguments.count)]
        case 5:
            let peer = peers.isEmpty ? input : peers[random.below(peers.count)]
            value = peer.arguments.indices.contains(position) ? peer.arguments[position] : old
        case 6:
            value = type == .i32 ? UInt64(address(input, &random) ?? 0) : random.next()
        case 7: value = [0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, .max, 1 << 63, 1 << 32][random.below(6)]
        default: value = old &+ UInt64(random.below(16)) &* 4
        }
        return type == .i32 || type == .f32 ? value & 0xFFFF_FFFF : value
    }

    /// What an argument or the stack pointer points to, or what a pointer found there does.
    private func address(_ input: ActorInput, _ random: inout WitnessRandom) -> UInt32? {
        func isAddress(_ value: UInt64) -> Bool {
            value >= UInt64(Self.leastAddress) && value < input.memory.byteCount
        }
        let starts = input.arguments.filter(isAddress) + input.globals.prefix(1).filter(isAddress)
        guard !starts.isEmpty else { return nil }
        var address = UInt32(truncatingIfNeeded: starts[random.below(starts.count)])
        while random.below(2) == 0 {
            let word = input.word(at: address &+ UInt32(4 * random.below(Self.words / 2)))
            guard let word, isAddress(UInt64(word)) else { break }
            address = word
        }
        return address
    }

    private func changeMemory(
        at place: UInt32, _ input: inout ActorInput, _ constants: [UInt64], _ random: inout WitnessRandom
    ) {
        let old = input.word(at: place) ?? 0
        let bytes =
            random.below(3) == 0
            ? [byte(UInt8(truncatingIfNeeded: old), &random)] : word(old, input, at: place, constants, &random)
        input.patches.append(.init(address: place, bytes: bytes))
    }

    /// Four or eight bytes in the place of a word.
    private func word(
        _ old: UInt32, _ input: ActorInput, at place: UInt32, _ constants: [UInt64], _ random: inout WitnessRandom
    ) -> [UInt8] {
        var word = UInt64(old)
        switch random.below(13) {
        case 0...1: word = UInt64(random.below(4))
        case 2: word = random.small()
        case 3: word &+= 1
        case 4: word &-= 1
        case 5: word ^= 1 << UInt64(random.below(32))
        case 6: word = [0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, .max, 1 << 63][random.below(5)]
        case 7: word = UInt64(address(input, &random) ?? 0)
        case 8: word = UInt64(input.word(at: place &+ UInt32(4 * random.below(8))) ?? 0)
        case 9...11 where !constants.isEmpty: word = constants[random.below(constants.count)]
        default: word = UInt64(random.below(40))
        }
        let count = word > 0xFFFF_FFFF || random.below(4) == 0 ? 8 : 4
        return (0..<count).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
    }

    private func byte(_ old: UInt8, _ random: inout WitnessRandom) -> UInt8 {
        switch random.below(7) {
        case 0: 0
        case 1: 0xFF
        case 2: old &+ 1
        case 3: old &- 1
        case 4: old ^ 1 << UInt8(random.below(8))
        case 5: UInt8(random.below(24))
        default: UInt8(truncatingIfNeeded: random.next())
        }
    }
}
