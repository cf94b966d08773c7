package bbd.companion.protocol;

import bbd.companion.protocol.Frames.Change;
import bbd.companion.protocol.Frames.Columns;
import bbd.companion.protocol.Frames.Frame;
import bbd.companion.protocol.Frames.Outcome;
import bbd.companion.protocol.Frames.Outcomes;
import bbd.companion.protocol.Frames.Read;
import bbd.companion.protocol.Frames.Standing;
import bbd.companion.protocol.Frames.Status;
import bbd.companion.protocol.Frames.Wanted;
import bbd.companion.protocol.Frames.Write;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Frames from their bytes; see {@link Frames#parse}. */
final class FrameReader {
    private static final int MAX_OUTCOMES = 65535;

    private FrameReader() {}

    static Frame read(ByteBuffer bytes, int limit) throws BridgeException {
        ByteBuffer in = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
        if (in.remaining() < Frames.HEADER) {
            throw bad("it is shorter than its header");
        }
        int kind = in.get() & 0xFF;
        require(in.get() == 0, "unknown flags");
        int count = in.getShort() & 0xFFFF;
        long request = in.getInt() & 0xFFFFFFFFL;
        long disk = in.getInt() & 0xFFFFFFFFL;
        require(in.getInt() == 0, "bytes 12 to 15 are not 0");
        require(count > 0 && count <= (kind == Frames.CONFIRMED ? MAX_OUTCOMES : limit),
                "it has " + count + " columns");
        require(request != 0 != (kind == Frames.CONFIRMED), "its request is wrong");
        require(disk != 0, "its disk is 0");
        Frame frame = switch (kind) {
            case Frames.READ -> new Read(request, disk, wanted(in, count));
            case Frames.WRITE -> new Write(request, disk, changes(in, count), in.capacity());
            case Frames.COLUMNS -> new Columns(request, disk, standing(in, count));
            case Frames.WRITTEN, Frames.CONFIRMED ->
                new Outcomes(kind == Frames.CONFIRMED, request, disk, outcomes(in, count));
            default -> throw bad("its kind is unknown");
        };
        require(!in.hasRemaining(), "something follows its last column");
        return frame;
    }

    private static List<Wanted> wanted(ByteBuffer in, int count) throws BridgeException {
        Places places = new Places();
        List<Wanted> found = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            room(in, Frames.READ_ENTRY);
            Wanted one = new Wanted(in.getInt(), in.getInt(), in.getInt());
            require(in.getInt() == 0, "an entry's bytes 12 to 15 are not 0");
            require(one.mask() != 0 && (one.mask() & ~Frames.ALL_SECTIONS) == 0, "no such sections");
            places.add(one.x(), one.z());
            found.add(one);
        }
        return found;
    }

    private static List<Change> changes(ByteBuffer in, int count) throws BridgeException {
        Places places = new Places();
        List<Change> found = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            room(in, Frames.WRITE_ENTRY);
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
            require((mask | air) != 0 && ((mask | air) & ~Frames.ALL_SECTIONS) == 0 && (mask & air) == 0,
                    "no such sections");
            require((flags & 1) != 0 || stamp == 0, "a stamp without EXPECT");
            require(generation != 0, "a generation of 0");
            byte[][] sections = sections(in, mask, wide, size);
            found.add(new Change(x, z, (flags & 1) != 0, (flags & 2) != 0, mask, air, stamp, generation, sections));
        }
        return found;
    }

    private static List<Standing> standing(ByteBuffer in, int count) throws BridgeException {
        Places places = new Places();
        List<Standing> found = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            room(in, Frames.COLUMN_ENTRY);
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
            require((mask & ~Frames.ALL_SECTIONS) == 0, "no such sections");
            require(status == 0 || (mask | wide) == 0 && (stamp | generation) == 0, "blocks where none can be");
            if (status == 2) {
                room(in, size);
                byte[] why = new byte[(int) size];
                in.get(why);
                found.add(Standing.unreadable(x, z, new String(why, StandardCharsets.UTF_8)));
            } else {
                byte[][] sections = sections(in, mask, wide, size);
                found.add(new Standing(x, z, Status.values()[status], stamp, generation, sections, ""));
            }
        }
        return found;
    }

    private static List<Outcome> outcomes(ByteBuffer in, int count) throws BridgeException {
        Places places = new Places();
        List<Outcome> found = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            room(in, Frames.OUTCOME_ENTRY);
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

    private static byte[][] sections(ByteBuffer in, int mask, int wide, long size) throws BridgeException {
        require((wide & ~mask) == 0, "wide sections that are not there");
        require(size == Indices.BLOCKS * (long) (Integer.bitCount(mask) + Integer.bitCount(wide)), "a wrong size");
        room(in, size);
        byte[][] found = new byte[Frames.SECTIONS][];
        for (int rest = mask; rest != 0; rest &= rest - 1) {
            int index = Integer.numberOfTrailingZeros(rest);
            found[index] = new byte[(wide >> index & 1) != 0 ? 2 * Indices.BLOCKS : Indices.BLOCKS];
            in.get(found[index]);
        }
        return found;
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
