import Machine
import Primitives

extension MessageReport {
    /// Notes what was executed and what the actors call it. The state is looked at only now, after the message: what a
    /// lookup reads shortens nothing of it.
    mutating func name(_ message: Message, on machine: Machine) {
        self.message = message
        let actors = ActorNames(machine).actors
        func kind(_ id: UInt64?) -> String? {
            guard let id, let actor = try? machine.state.actor(id) else { return nil }
            return machine.manifest.name(of: actor.code)
        }
        receiver = kind((try? machine.state.resolve(message.to)) ?? nil)
        methodName = BuiltinMethods.name(message.method, kind: receiver, actors: actors)
        failure?.nameMethods { frame in BuiltinMethods.name(frame.method, kind: kind(frame.actor), actors: actors) }
    }
}
