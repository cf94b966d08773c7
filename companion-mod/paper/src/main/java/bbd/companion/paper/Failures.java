package bbd.companion.paper;

import java.io.IOException;
import java.util.concurrent.CompletionException;

/** Errors as people read them. */
final class Failures {
    private Failures() {}

    /** One line that says what is wrong. */
    static String sentence(Throwable error) {
        return error instanceof IOException && error.getMessage() != null ? line(error.getMessage()) : error.toString();
    }

    /** A text on one line. */
    static String line(String text) {
        return String.valueOf(text).strip().replaceAll("\\s+", " ");
    }

    /** What a future failed of, as an error of input and output. */
    static IOException cause(Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        return cause instanceof IOException known ? known : new IOException("the server failed: " + cause, cause);
    }
}
