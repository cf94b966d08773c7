package bbd.companion.protocol;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * The binary frames of the bridge, bytes to records and back (PROTOCOL.md, "Binary frames"). Sections are
 * {@link Indices} into the agreed palette; null is air all over.
 */
public final class Frames {
    public static final int READ = 0x01;
    public static final int WRITE = 0x02;
    public static final int COLUMNS = 0x81;
    public static final int WRITTEN = 0x82;
    public static final int CONFIRMED = 0x83;

    public static final int SECTIONS = 20;
    public static final int ALL_SECTIONS = (1 << SECTIONS) - 1;
    public static final int HEADER = 16;
    static final int READ_ENTRY = 16;
    static final int WRITE_ENTRY = 48;
    static final int COLUMN_ENTRY = 40;
    static final int OUTCOME_ENTRY = 32;

    private Frames() {}

    /** A frame of either direction. */
    public sealed interface Frame permits Read, Write, Columns, Outcomes {
        long request();

        long disk();
    }

    /** What of a column is wanted: bit i of {@code mask} for section i. */
    public record Wanted(int x, int z, int mask) {}

    public record Read(long request, long disk, List<Wanted> columns) implements Frame {}

    /** New blocks of a column: of {@code sections}, those in {@code mask}; those in {@code air} become air all over. */
    public record Change(int x, int z, boolean expect, boolean replace, int mask, int air, long stamp, long generation,
            byte[][] sections) {}

    /** {@code size}: the frame's bytes. */
    public record Write(long request, long disk, List<Change> columns, int size) implements Frame {}

    /** Whether a chunk is where a column was asked for. */
    public enum Status {
        PRESENT, ABSENT, UNREADABLE
    }

    /** A column as it stands; {@code why} is told where it is unreadable. */
    public record Standing(int x, int z, Status status, long stamp, long generation, byte[][] sections, String why) {
        public static Standing absent(int x, int z) {
            return new Standing(x, z, Status.ABSENT, 0, 0, new byte[SECTIONS][], "");
        }

        public static Standing unreadable(int x, int z, String why) {
            return new Standing(x, z, Status.UNREADABLE, 0, 0, new byte[SECTIONS][], why);
        }
    }

    public record Columns(long request, long disk, List<Standing> columns) implements Frame {}

    /** What became of a column's write; {@code code} is the number of an {@link ErrorCode}. */
    public record Outcome(int x, int z, int code, long stamp, long generation) {}

    /** A WRITTEN frame, or a CONFIRMED frame with request 0. */
    public record Outcomes(boolean confirmed, long request, long disk, List<Outcome> columns) implements Frame {}

    /**
     * A frame from its bytes. Throws {@link BridgeException} ({@code bad_frame}) for everything that is not exactly as
     * it must be; what indices mean is not checked.
     *
     * @param limit the most entries, except in CONFIRMED
     */
    public static Frame parse(ByteBuffer bytes, int limit) throws BridgeException {
        return FrameReader.read(bytes, limit);
    }

    /** A column's bytes in a COLUMNS frame. */
    public static ByteBuffer entry(Standing column) {
        return FrameWriter.entry(column);
    }

    /**
     * A COLUMNS frame of its entries' bytes, in parts to be sent one after the other: whole, it is of a size that makes
     * the garbage collector's work expensive.
     */
    public static List<ByteBuffer> columns(long request, long disk, List<ByteBuffer> entries) {
        return FrameWriter.columns(request, disk, entries);
    }

    /** A frame's bytes, ready to be sent. */
    public static ByteBuffer write(Frame frame) {
        return FrameWriter.write(frame);
    }
}
