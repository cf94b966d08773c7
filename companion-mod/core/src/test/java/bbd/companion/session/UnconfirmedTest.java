package bbd.companion.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.protocol.ErrorCode;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Who is told what of columns that wait to be confirmed. */
class UnconfirmedTest {
    private static final ChunkPos AT = new ChunkPos(1, 2);
    private final Unconfirmed unconfirmed = new Unconfirmed();

    @Test
    void aFailureIsTheirsWhoAskedBeforeItBegan() {
        unconfirmed.applied(AT, 7);
        CompletableFuture<ErrorCode> early = unconfirmed.wait(unconfirmed.all());
        unconfirmed.begin();
        CompletableFuture<ErrorCode> late = unconfirmed.wait(unconfirmed.all());
        unconfirmed.failed(ErrorCode.NO_SPACE);
        assertEquals(ErrorCode.NO_SPACE, early.getNow(null));
        assertFalse(late.isDone());
        unconfirmed.begin();
        unconfirmed.failed(ErrorCode.IO);
        assertEquals(ErrorCode.IO, late.getNow(null));
    }

    @Test
    void eachWriteFailsOnceAtMost() {
        unconfirmed.applied(AT, 7);
        assertEquals(Map.of(AT, 7L), unconfirmed.failed(ErrorCode.IO));
        assertEquals(Map.of(), unconfirmed.failed(ErrorCode.IO));
        unconfirmed.applied(AT, 8);
        assertEquals(Map.of(AT, 8L), unconfirmed.failed(ErrorCode.IO));
    }

    @Test
    void whoWaitsGoesOnWhenAllIsConfirmedOrDropped() {
        unconfirmed.applied(AT, 7);
        CompletableFuture<ErrorCode> waiting = unconfirmed.wait(Map.of(AT, 8L));
        unconfirmed.dropped(AT, 8);
        assertFalse(waiting.isDone(), "the write before it is not confirmed");
        unconfirmed.confirmed(AT, 7);
        unconfirmed.settle();
        assertEquals(ErrorCode.DONE, waiting.getNow(null));
        assertEquals(0, unconfirmed.size());
    }
}
