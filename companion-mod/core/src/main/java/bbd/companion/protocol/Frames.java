package bbd.companion.protocol;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The binary frames of the bridge, bytes to records and back (PROTOCOL.md, "Binary frames"). Sections are 4096 indices
 * into the agreed palette; null is air all over.
 */
public final class Frames {
    public static final int READ = 0x01;
    public static final int WRITE = 0x02;
    public static final int COLUMNS = 0x81;
    public static final int WRITTEN = 0x82;
    public static final int CONFIRMED = 0x83;

    public static final int SECTIONS = 20;
    public static final int BLOCKS = 4096;
    public static final int ALL_SECTIONS = (1 << SECTIONS) - 1;
    public static final int HEADER = 16;
    private static final int MAX_OUTCOMES = 65535;
    private static final int READ_ENTRY = 16;
    private static final int WRITE_ENTRY = 48;
    private static final int COLUMN_ENTRY = 40;
    private static final int OUTCOME_ENTRY = 32;

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
            char[][] sections) {}

    /** {@code size}: the frame's bytes. */
    public record Write(long request, long disk, List<Change> columns, int size) implements Frame {}

    /** Whether a chunk is where a column was asked for. */
    public enum Status {
        PRESENT, ABSENT, UNREADABLE
    }

    /** A column as it stands; {@code why} is told where it is unreadable. */
    public record Standing(int x, int z, Status status, long stamp, long generation, char[][] sections, String why) {
        public static Standing absent(int x, int z) {
            return new Standing(x, z, Status.ABSENT, 0, 0, new char[SECTIONS][], "");
        }

        public static Standing unreadable(int x, int z, String why) {
            return new Standing(x, z, Status.UNREADABLE, 0, 0, new char[SECTIONS][], why);
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
        ByteBuffer in = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
        if (in.remaining() < HEADER) {
            throw bad("it is shorter than its header");
        }
        int kind = in.get() & 0xFF;
        require(in.get() == 0, "unknown flags");
        int count = in.getShort() & 0xFFFF;
        long request = in.getInt() & 0xFFFFFFFFL;
        long disk = in.getInt() & 0xFFFFFFFFL;
        require(in.getInt() == 0, "bytes 12 to 15 are not 0");
        require(count > 0 && count <= (kind == CONFIRMED ? MAX_OUTCOMES : limit), "it has " + count + " columns");
        require(request != 0 != (kind == CONFIRMED), "its request is wrong");
        require(disk != 0, "its disk is 0");
        Frame frame = switch (kind) {
            case READ -> new Read(request, disk, wanted(in, count));
            case WRITE -> new Write(request, disk, changes(in, count), in.capacity());
            case COLUMNS -> new Columns(request, disk, standing(in, count));
            case WRITTEN, CONFIRMED -> new Outcomes(kind == CONFIRMED, request, disk, outcomes(in, count));
            default -> throw bad("its kind is unknown");
        };
        require(!in.hasRemaining(), "something follows its last column");
        return frame;
    }

    private static List<Wanted> wanted(ByteBuffer in, int count) throws BridgeException {
        Places places = new Places();
        List<Wanted> found = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            room(in, READ_ENTRY);
            Wanted one = new Wanted(in.getInt(), in.getInt(), in.getInt());
            require(in.getInt() == 0, "an entry's bytes 12 to 15 are not 0");
            require(one.mask != 0 && (one.mask & ~ALL_SECTIONS) == 0, "no such sections");
            places.add(one.x, one.z);
            found.add(one);
        }
        return found;
    }

    private static List<Change> changes(ByteBuffer in, int count) throws BridgeException {
        Places places = new Places();
        List<Change> found = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            room(in, WRITE_ENTRY);
            int x = in.getInt();
            int z = in.getInt();
            int flags = in.getInt();
            int mask = in.getInt();
            int wide = in.getInt();
            int air = in.getInt();
            long size = in.getInt() & 0xFFFFFFFFL;
            require(in.getInt() == 0, "an entry's bytes 28 to 31 are not 0");
            long stamp = in.getLong();
            long generation = in.getLong();
            places.add(x, z);
            require((flags & ~3) == 0, "unknown flags");
            require((mask | air) != 0 && ((mask | air) & ~ALL_SECTIONS) == 0 && (mask & air) == 0, "no such sections");
            require((flags & 1) != 0 || stamp == 0, "a stamp without EXPECT");
            require(generation != 0, "a generation of 0");
            char[][] sections = sections(in, mask, wide, size);
            found.add(new Change(x, z, (flags & 1) != 0, (flags & 2) != 0, mask, air, stamp, generation, sections));
        }
        return found;
    }

    private static List<Standing> standing(ByteBuffer in, int count) throws BridgeException {
        Places places = new Places();
        List<Standing> found = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            room(in, COLUMN_ENTRY);
            int x = in.getInt();
            int z = in.getInt();
            int status = in.getInt();
            int mask = in.getInt();
            int wide = in.getInt();
            long size = in.getInt() & 0xFFFFFFFFL;
            long stamp = in.getLong();
            long generation = in.getLong();
            places.add(x, z);
            require(status >= 0 && status <= 2, "unknown status");
            require((mask & ~ALL_SECTIONS) == 0, "no such sections");
            require(status == 0 || (mask | wide) == 0 && (stamp | generation) == 0, "blocks where none can be");
            if (status == 2) {
                room(in, size);
                byte[] why = new byte[(int) size];
                in.get(why);
                found.add(Standing.unreadable(x, z, new String(why, StandardCharsets.UTF_8)));
            } else {
                char[][] sections = sections(in, mask, wide, size);
                found.add(new Standing(x, z, Status.values()[status], stamp, generation, sections, ""));
            }
        }
        return found;
    }

    private static List<Outcome> outcomes(ByteBuffer in, int count) throws BridgeException {
        Places places = new Places();
        List<Outcome> found = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            room(in, OUTCOME_ENTRY);
            int x = in.getInt();
            int z = in.getInt();
            int code = in.getInt();
            require(code >= 0, "an unknown code");
            require(in.getInt() == 0, "an entry's bytes 12 to 15 are not 0");
            places.add(x, z);
            found.add(new Outcome(x, z, code, in.getLong(), in.getLong()));
        }
        return found;
    }

    private static char[][] sections(ByteBuffer in, int mask, int wide, long size) throws BridgeException {
        require((wide & ~mask) == 0, "wide sections that are not there");
        require(size == BLOCKS * (long) (Integer.bitCount(mask) + Integer.bitCount(wide)), "a wrong size");
        room(in, size);
        char[][] found = new char[SECTIONS][];
        for (int rest = mask; rest != 0; rest &= rest - 1) {
            int index = Integer.numberOfTrailingZeros(rest);
            char[] section = new char[BLOCKS];
            if ((wide >> index & 1) != 0) {
                in.asCharBuffer().get(section);
                in.position(in.position() + 2 * BLOCKS);
            } else {
                narrow(in, section);
            }
            found[index] = section;
        }
        return found;
    }

    private static void narrow(ByteBuffer in, char[] section) {
        byte[] indices = new byte[BLOCKS];
        in.get(indices);
        for (int i = 0; i < BLOCKS; i++) {
            section[i] = (char) (indices[i] & 0xFF);
        }
    }

    /** A frame's bytes, ready to be sent. */
    public static ByteBuffer write(Frame frame) {
        return switch (frame) {
            case Read read -> writeRead(read);
            case Write write -> writeWrite(write);
            case Columns columns -> writeColumns(columns);
            case Outcomes outcomes -> writeOutcomes(outcomes);
        };
    }

    private static ByteBuffer writeRead(Read frame) {
        ByteBuffer out = begun(READ, frame, frame.columns.size(), READ_ENTRY * frame.columns.size());
        for (Wanted one : frame.columns) {
            out.putInt(one.x).putInt(one.z).putInt(one.mask).putInt(0);
        }
        return out.flip();
    }

    private static ByteBuffer writeWrite(Write frame) {
        int size = WRITE_ENTRY * frame.columns.size();
        for (Change one : frame.columns) {
            size += sizeOf(one.sections, one.mask);
        }
        ByteBuffer out = begun(WRITE, frame, frame.columns.size(), size);
        for (Change one : frame.columns) {
            out.putInt(one.x).putInt(one.z).putInt((one.expect ? 1 : 0) | (one.replace ? 2 : 0));
            out.putInt(one.mask).putInt(wide(one.sections, one.mask)).putInt(one.air);
            out.putInt(sizeOf(one.sections, one.mask)).putInt(0).putLong(one.stamp).putLong(one.generation);
            put(out, one.sections, one.mask);
        }
        return out.flip();
    }

    private static ByteBuffer writeColumns(Columns frame) {
        int size = 0;
        for (Standing one : frame.columns) {
            size += COLUMN_ENTRY + sizeOf(one.sections, mask(one.sections)) + text(one).length;
        }
        ByteBuffer out = begun(COLUMNS, frame, frame.columns.size(), size);
        for (Standing one : frame.columns) {
            int mask = mask(one.sections);
            byte[] text = text(one);
            out.putInt(one.x).putInt(one.z).putInt(one.status.ordinal()).putInt(mask).putInt(wide(one.sections, mask));
            out.putInt(sizeOf(one.sections, mask) + text.length).putLong(one.stamp).putLong(one.generation);
            put(out, one.sections, mask);
            out.put(text);
        }
        return out.flip();
    }

    private static ByteBuffer writeOutcomes(Outcomes frame) {
        int kind = frame.confirmed ? CONFIRMED : WRITTEN;
        ByteBuffer out = begun(kind, frame, frame.columns.size(), OUTCOME_ENTRY * frame.columns.size());
        for (Outcome one : frame.columns) {
            out.putInt(one.x).putInt(one.z).putInt(one.code).putInt(0).putLong(one.stamp).putLong(one.generation);
        }
        return out.flip();
    }

    private static ByteBuffer begun(int kind, Frame frame, int count, int size) {
        ByteBuffer out = ByteBuffer.allocate(HEADER + size).order(ByteOrder.LITTLE_ENDIAN);
        out.put((byte) kind).put((byte) 0).putShort((short) count);
        return out.putInt((int) frame.request()).putInt((int) frame.disk()).putInt(0);
    }

    private static byte[] text(Standing one) {
        return one.why.getBytes(StandardCharsets.UTF_8);
    }

    private static int mask(char[][] sections) {
        int mask = 0;
        for (int i = 0; i < SECTIONS; i++) {
            mask |= sections[i] == null ? 0 : 1 << i;
        }
        return mask;
    }

    private static int wide(char[][] sections, int mask) {
        int wide = 0;
        for (int rest = mask; rest != 0; rest &= rest - 1) {
            int index = Integer.numberOfTrailingZeros(rest);
            wide |= isWide(sections[index]) ? 1 << index : 0;
        }
        return wide;
    }

    private static boolean isWide(char[] section) {
        int all = 0;
        for (char index : section) {
            all |= index;
        }
        return all > 0xFF;
    }

    private static int sizeOf(char[][] sections, int mask) {
        return BLOCKS * (Integer.bitCount(mask) + Integer.bitCount(wide(sections, mask)));
    }

    private static void put(ByteBuffer out, char[][] sections, int mask) {
        byte[] narrow = new byte[BLOCKS];
        for (int rest = mask; rest != 0; rest &= rest - 1) {
            char[] section = sections[Integer.numberOfTrailingZeros(rest)];
            if (isWide(section)) {
                out.asCharBuffer().put(section);
                out.position(out.position() + 2 * BLOCKS);
            } else {
                for (int i = 0; i < BLOCKS; i++) {
                    narrow[i] = (byte) section[i];
                }
                out.put(narrow);
            }
        }
    }

    private static void room(ByteBuffer in, long size) throws BridgeException {
        require(in.remaining() >= size, "it is cut off");
    }

    private static void require(boolean right, String wrong) throws BridgeException {
        if (!right) {
            throw bad(wrong);
        }
    }

    private static BridgeException bad(String why) {
        return new BridgeException(ErrorCode.BAD_FRAME, "a binary frame is not as it must be: " + why);
    }

    /** The columns of a frame, each of which it may name once. */
    private static final class Places {
        private final Set<Long> seen = new HashSet<>();

        void add(int x, int z) throws BridgeException {
            require(seen.add((long) x << 32 | z & 0xFFFFFFFFL), "it names a column twice");
        }
    }
}
