package bbd.companion.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.command.Commands;
import bbd.companion.geometry.Codec;
import bbd.companion.geometry.Geometry;
import bbd.companion.geometry.Hilbert;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ApprovalsTest {
    private final Approvals approvals = new Approvals();

    private static Descriptor disk(String name, int origin) {
        return new Descriptor(name, "id", 1 << 20, "minecraft:overworld",
                new Geometry(Codec.BYTE, new Hilbert(), origin, 0), 2);
    }

    private void refused(Descriptor wanted) {
        assertEquals(ErrorCode.APPROVAL_NEEDED,
                assertThrows(BridgeException.class, () -> approvals.require(wanted)).code());
    }

    @Test
    void whatIsAskedForIsToldOnce() {
        List<String> told = new ArrayList<>();
        approvals.listen(wanted -> told.add(wanted.name() + wanted.geometry().originX()));
        refused(disk("a", 0));
        refused(disk("a", 0));
        refused(disk("a", 32));
        assertEquals(List.of("a0", "a32"), told);
        assertEquals(List.of(disk("a", 32)), approvals.waiting());
    }

    @Test
    void onlyWhatWasApprovedIsAllowed() throws BridgeException {
        assertTrue(approvals.approve("a").isEmpty());
        refused(disk("a", 0));
        assertEquals(disk("a", 0), approvals.approve("a").orElseThrow());
        approvals.require(disk("a", 0));
        refused(disk("a", 32));
        assertEquals(List.of(disk("a", 32)), approvals.waiting());
    }

    @Test
    void denyingTakesBackWhatWasAskedForAndAllowed() throws BridgeException {
        assertTrue(approvals.deny("a").isEmpty());
        refused(disk("a", 0));
        assertEquals(disk("a", 0), approvals.deny("a").orElseThrow());
        assertEquals(List.of(), approvals.waiting());
        refused(disk("a", 0));
        approvals.approve("a");
        approvals.require(disk("a", 0));
        approvals.deny("a");
        refused(disk("a", 0));
    }

    @Test
    void noMoreWaitThanAPersonCanRead() {
        for (int i = 0; i < 20; i++) {
            refused(disk("disk" + i, 0));
        }
        assertEquals(16, approvals.waiting().size());
    }

    @Test
    void operatorsAreToldWhatItIs() {
        assertEquals(
                "Somebody wants to make or enlarge a disk: a, 1 MiB in minecraft:overworld from chunk 32,0 on, 16 chunks. To allow it:"
                        + " /bbd approve a; if not: /bbd deny a",
                Commands.asked(disk("a", 32)));
    }

    @Test
    void wordsNeedWhatTheyDo() {
        assertEquals(List.of("info", "info", "where", "operate", "operate", "operate", "approve", "approve", "info"),
                java.util.stream.Stream.of("", "info", "where", "pause", "resume", "protect", "approve", "deny", "x")
                        .map(word -> Commands.needs(word.isEmpty() ? List.of() : List.of(word))).toList());
    }
}
