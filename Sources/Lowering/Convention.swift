import CActorRuntime
import CodeImage
import LLVMKit
import WasmFormat

/// The convention of calls between functions of the guest.
///
/// What every function needs has the same register on both sides of every call, so that passing it on takes no
/// instruction: the anchor of the context is in R13, which callees preserve (`swiftself`); the gas counter is the fifth
/// integer of the arguments and the fourth of the results, both R8. Ahead of it go up to four integers of the guest
/// (RDI, RSI, RDX, RCX), behind it the `StackPair` (R9), then the other parameters. Places that nothing fills are
/// poison.
struct Convention {
    static var calls: CallingConvention { .swift }

    /// Where the parameters of the guest's type are among the function's.
    let places: [Int]
    let type: IRType
    private let result: IRType
    private let resultCount: Int
    private let filler: Value

    static let anchor = 0
    static let gas = 1 + guestIntegersAhead
    static let height = gas + 1
    private static let guestIntegersAhead = 4

    init(_ guest: FunctionType, _ module: ModuleLowering) {
        let types = module.types
        var ahead = [IRType](repeating: types.i64, count: Self.guestIntegersAhead)
        var behind: [IRType] = []
        var places: [Int] = []
        var used = 0
        for parameter in guest.parameters {
            if !parameter.isFloat, used < Self.guestIntegersAhead {
                ahead[used] = module.type(parameter)
                used += 1
                places.append(used)
            } else {
                places.append(Self.height + 1 + behind.count)
                behind.append(module.type(parameter))
            }
        }
        self.places = places
        var fields = [IRType](repeating: types.i64, count: 4)
        if let value = guest.results.first {
            // A float has a register of its own kind.
            if value.isFloat { fields.insert(module.type(value), at: 0) } else { fields[0] = module.type(value) }
        }
        resultCount = fields.count
        result = module.ir.structType(fields)
        type = module.ir.functionType([types.pointer] + ahead + [types.i64, types.i64] + behind, result)
        filler = module.ir.poison(types.i64)
    }

    /// The arguments of a call.
    func arguments(context: Context, gas: Value, height: Value, _ guest: [Value]) -> [Value] {
        var all = [Value](repeating: filler, count: Self.height + 1)
        all.append(contentsOf: repeatElement(filler, count: places.count { $0 > Self.height }))
        all[Self.anchor] = context.anchor
        all[Self.gas] = gas
        all[Self.height] = height
        for (place, value) in zip(places, guest) { all[place] = value }
        return all
    }

    /// The parameters of the guest in `function`.
    func parameters(of function: Function) -> [Value] { places.map { function.argument($0) } }

    /// Returns the counter, and the guest's result if there is one.
    func `return`(_ value: Value?, gas: Value, _ module: ModuleLowering) {
        var all = module.ir.poison(result)
        if let value { all = module.build.insert(all, value, 0) }
        module.build.return(module.build.insert(all, gas, resultCount - 1))
    }

    /// The counter that a call brought back.
    func gas(of returned: Value, _ build: Builder) -> Value { build.extract(returned, resultCount - 1) }

    /// The guest's result of a call, which has one.
    func value(of returned: Value, _ build: Builder) -> Value { build.extract(returned, 0) }
}

/// The context of running code, known by a place at a constant distance behind it: where the memory begins, if the
/// module defines one. Accesses of memory are many, and have the shorter instructions this way.
struct Context {
    let anchor: Value

    static let distance = UInt64(SMELT_RT_MEMORY_BEHIND_CONTEXT)
}

extension ModuleLowering {
    /// A function of the internal convention.
    func addGuestFunction(_ name: String, _ type: FunctionType) -> Function {
        let function = addFunction(name, convention(type).type, convention: Convention.calls, shared)
        ir.add(attributes.context, to: function, at: .parameter(Convention.anchor))
        return function
    }

    /// Calls a function of the internal convention.
    func callGuest(_ callee: Value, _ convention: Convention, _ arguments: [Value]) -> Value {
        let call = build.call(callee, convention.type, arguments, convention: Convention.calls)
        build.add(attributes.context, to: call, at: .parameter(Convention.anchor))
        return call
    }

    /// The address of the memory's byte `offset` plus an index of 64 bits.
    func memoryAddress(_ context: Context, _ index: Value, offset: UInt64) -> Value {
        let base =
            module.memories.isEmpty
            ? constantField(types.pointer, context, ContextLayout.memoryBase) : context.anchor
        return field(build.address(base, index, byte: types.i8), offset)
    }

    /// The context that a function of the internal convention works in.
    func context(of function: Function) -> Context { Context(anchor: function.argument(Convention.anchor)) }

    /// The context at an address.
    func context(at address: Value) -> Context {
        Context(anchor: build.address(address, i64(Context.distance), byte: types.i8))
    }

    /// The address of a context.
    func address(of context: Context) -> Value { field(context, 0) }

    /// The address of the context's byte `offset`.
    func field(_ context: Context, _ offset: UInt64) -> Value {
        build.address(context.anchor, i64(offset &- Context.distance), byte: types.i8)
    }

    /// A field that does not change while compiled code runs.
    func constantField(_ type: IRType, _ context: Context, _ offset: UInt64) -> Value {
        build.load(type, field(context, offset), alignment: 8, annotation: invariant)
    }
}
