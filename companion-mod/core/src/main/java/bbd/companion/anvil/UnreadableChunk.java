package bbd.companion.anvil;

import java.io.IOException;

/** A chunk stands there but can't be read; the message is half a sentence that says why. */
public final class UnreadableChunk extends IOException {
    private static final long serialVersionUID = 1L;

    public UnreadableChunk(String why) {
        super(why);
    }
}
