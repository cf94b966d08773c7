package bbd.companion.session;

import bbd.companion.anvil.UnreadableChunk;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import java.io.IOException;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is told of things that went wrong. */
final class Failures {
    private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

    private Failures() {}

    static ErrorCode code(Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        if (cause instanceof UnreadableChunk) {
            return ErrorCode.UNREADABLE;
        }
        if (cause instanceof BridgeException known) {
            return known.code();
        }
        if (cause instanceof IOException) {
            return String.valueOf(cause.getMessage()).contains("No space left") ? ErrorCode.NO_SPACE : ErrorCode.IO;
        }
        LOG.error("a fault of the companion", cause);
        return ErrorCode.INTERNAL;
    }

    static String why(Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        return String.valueOf(cause.getMessage() == null ? cause : cause.getMessage());
    }
}
