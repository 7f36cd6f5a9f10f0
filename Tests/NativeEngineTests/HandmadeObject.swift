import ArtifactFormat
import TestSupport

/// The artifact that Runtime/tests/object.c is, compiled with the C compiler and linked as actors are: no part of the
/// compiler under test, and sound by all rules.
enum HandmadeObject {
    struct Failure: Error {}

    /// The object with its import; `answer` returns 42.
    static let first = Result { try compile("-DANSWER=42") }
    /// Another one; `answer` returns 43.
    static let second = Result { try compile("-DANSWER=43") }
    /// One without imports, for calls that link nothing.
    static let alone = Result { try compile("-DANSWER=44 -DNO_IMPORTS") }

    private static func compile(_ definitions: String) throws -> LoadableObject {
        let source = "../../../Runtime/tests/object.c"
        guard let linked = linkedFixture(compilerFlags: "-O2 \(definitions)", source: source) else { throw Failure() }
        return try LoadableObject(checking: linked)
    }
}
