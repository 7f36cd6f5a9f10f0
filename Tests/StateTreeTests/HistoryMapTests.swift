import StateTree
import Testing

@Suite struct HistoryMapTests {
    @Test func revertRestoresReplacedAddedAndRemovedEntries() {
        var map = HistoryMap<Int, String>()
        map[1] = "one"
        map[2] = "two"
        map.begin()
        map[1] = "uno"
        map[1] = "eins"
        map[2] = nil
        map[3] = "three"
        map.end(revert: true)
        #expect(map[1] == "one")
        #expect(map[2] == "two")
        #expect(map[3] == nil)
    }

    @Test func outerRevertTakesBackWhatInnerTransactionsKept() {
        var map = HistoryMap<Int, Int>()
        map[1] = 1
        map.begin()
        map[1] = 2
        map.begin()
        map[1] = 3
        map.end(revert: false)
        #expect(map[1] == 3)
        map.end(revert: true)
        #expect(map[1] == 1)
        #expect(map.depth == 0)
    }

    @Test func innerRevertKeepsWhatTheOuterTransactionDid() {
        var map = HistoryMap<Int, Int>()
        map.begin()
        map[1] = 1
        map.begin()
        map[1] = 2
        map[2] = 2
        map.end(revert: true)
        map.end(revert: false)
        #expect(map[1] == 1)
        #expect(map[2] == nil)
    }

    @Test func endWithoutTransactionChangesNothing() {
        var map = HistoryMap<Int, Int>()
        map[1] = 1
        map.end(revert: true)
        #expect(map[1] == 1)
    }

    @Test func keysComeInAscendingOrder() {
        var map = HistoryMap<Int, Int>()
        for key in [9, 3, 7, 1, 5] { map[key] = key }
        #expect(map.sortedKeys { $0 > 2 } == [3, 5, 7, 9])
    }
}
