import Engine
import GasSchedule
import Primitives
import Syscalls

/// A module with its imports bound to syscalls, once for all its invocations.
public final class BoundModule: Sendable {
    /// The code itself.
    public let module: any ActorModule
    let facts: ModuleFacts
    /// What a call of an import needs to know; no references in it, so copies cost nothing.
    struct Import {
        var syscall: Syscall
        /// Parameters of the import's type.
        var parameterCount: Int
        /// Kinds of the declared parameters.
        var parameters: ParameterKinds
        var result: ResultLayout
    }

    /// By position among the module's function imports; empty when the module cannot be linked.
    let imports: [Import]
    private let syscalls: SyscallSet
    /// Why the module cannot be linked; fatal when an invocation gets there.
    let linkFailure: String?

    /// Binds a module to the syscalls of a generation.
    public init(_ module: any ActorModule, syscalls: SyscallSet) {
        self.module = module
        facts = module.facts
        self.syscalls = syscalls
        var rows: [Import] = []
        var failure: String?
        if facts.importsOtherThanFunctions {
            failure = "module imports something other than functions"
        }
        for entry in facts.importedFunctions where failure == nil {
            do throws(LinkError) {
                let row = try syscalls.link(module: entry.module, name: entry.name, signature: entry.signature)
                rows.append(
                    Import(
                        syscall: row.syscall, parameterCount: row.type.parameters.count,
                        parameters: ParameterKinds(row.parameters), result: row.result))
            } catch {
                failure = error.description
            }
        }
        imports = failure == nil ? rows : []
        linkFailure = failure
    }

    /// `module::name` of a syscall, for texts.
    func title(_ syscall: Syscall) -> String { syscalls.row(syscall)?.title ?? "\(syscall)" }
}

extension SyscallSet {
    /// The set a network version links.
    public static func of(_ generation: SyscallGeneration) -> SyscallSet {
        switch generation {
        case .v3: .v3
        case .v4: .v4
        }
    }
}

/// What one invocation of an actor is about.
public struct InvocationFrame: Sendable {
    /// Actor ids.
    public var caller: UInt64
    /// The running actor's id.
    public var receiver: UInt64
    /// The method number, never 0.
    public var method: UInt64
    /// attoFIL that came with the call.
    public var value: TokenAmount
    /// Whether state may not be changed.
    public var readOnly: Bool
    /// 1 for the call a message makes.
    public var depth: UInt32

    public init(
        caller: UInt64, receiver: UInt64, method: UInt64, value: TokenAmount, readOnly: Bool, depth: UInt32
    ) {
        self.caller = caller
        self.receiver = receiver
        self.method = method
        self.value = value
        self.readOnly = readOnly
        self.depth = depth
    }
}
