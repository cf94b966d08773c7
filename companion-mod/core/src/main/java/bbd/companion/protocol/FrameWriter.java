package bbd.companion.protocol;

import bbd.companion.protocol.Frames.Change;
import bbd.companion.protocol.Frames.Columns;
import bbd.companion.protocol.Frames.Frame;
import bbd.companion.protocol.Frames.Outcome;
import bbd.companion.protocol.Frames.Outcomes;
import bbd.companion.protocol.Frames.Read;
import bbd.companion.protocol.Frames.Standing;
import bbd.companion.protocol.Frames.Wanted;
import bbd.companion.protocol.Frames.Write;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Frames' bytes; see {@link Frames#write}. */
final class FrameWriter {
    private FrameWriter() {}

    static ByteBuffer write(Frame frame) {
        return switch (frame) {
            case Read read -> writeRead(read);
            case Write write -> writeWrite(write);
            case Columns columns -> writeColumns(columns);
            case Outcomes outcomes -> writeOutcomes(outcomes);
        };
    }

    private static ByteBuffer writeRead(Read frame) {
        ByteBuffer out = begun(Frames.READ, frame, frame.columns().size(), Frames.READ_ENTRY * frame.columns().size());
        for (Wanted one : frame.columns()) {
            out.putInt(one.x()).putInt(one.z()).putInt(one.mask()).putInt(0);
        }
        return out.flip();
    }

    private static ByteBuffer writeWrite(Write frame) {
        int size = Frames.WRITE_ENTRY * frame.columns().size();
        for (Change one : frame.columns()) {
            size += sizeOf(one.sections(), one.mask());
        }
        ByteBuffer out = begun(Frames.WRITE, frame, frame.columns().size(), size);
        for (Change one : frame.columns()) {
            out.putInt(one.x()).putInt(one.z()).putInt((one.expect() ? 1 : 0) | (one.replace() ? 2 : 0));
            out.putInt(one.mask()).putInt(wide(one.sections(), one.mask())).putInt(one.air());
            out.putInt(sizeOf(one.sections(), one.mask())).putInt(0).putLong(one.stamp()).putLong(one.generation());
            put(out, one.sections(), one.mask());
        }
        return out.flip();
    }

    /** The frame in as many parts as it has columns. */
    static List<ByteBuffer> parts(Columns frame) {
        List<ByteBuffer> parts = new ArrayList<>();
        for (Standing one : frame.columns()) {
            int mask = mask(one.sections());
            byte[] text = text(one);
            int size = sizeOf(one.sections(), mask) + text.length;
            ByteBuffer out = parts.isEmpty()
                    ? begun(Frames.COLUMNS, frame, frame.columns().size(), Frames.COLUMN_ENTRY + size)
                    : room(Frames.COLUMN_ENTRY + size);
            out.putInt(one.x()).putInt(one.z()).putInt(one.status().ordinal()).putInt(mask)
                    .putInt(wide(one.sections(), mask));
            out.putInt(size).putLong(one.stamp()).putLong(one.generation());
            put(out, one.sections(), mask);
            parts.add(out.put(text).flip());
        }
        return parts;
    }

    private static ByteBuffer writeColumns(Columns frame) {
        List<ByteBuffer> parts = parts(frame);
        ByteBuffer out = room(parts.stream().mapToInt(ByteBuffer::remaining).sum());
        parts.forEach(out::put);
        return out.flip();
    }

    private static ByteBuffer writeOutcomes(Outcomes frame) {
        int kind = frame.confirmed() ? Frames.CONFIRMED : Frames.WRITTEN;
        ByteBuffer out = begun(kind, frame, frame.columns().size(), Frames.OUTCOME_ENTRY * frame.columns().size());
        for (Outcome one : frame.columns()) {
            out.putInt(one.x()).putInt(one.z()).putInt(one.code()).putInt(0).putLong(one.stamp())
                    .putLong(one.generation());
        }
        return out.flip();
    }

    private static ByteBuffer begun(int kind, Frame frame, int count, int size) {
        ByteBuffer out = room(Frames.HEADER + size);
        out.put((byte) kind).put((byte) 0).putShort((short) count);
        return out.putInt((int) frame.request()).putInt((int) frame.disk()).putInt(0);
    }

    private static ByteBuffer room(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] text(Standing one) {
        return one.why().getBytes(StandardCharsets.UTF_8);
    }

    private static int mask(byte[][] sections) {
        int mask = 0;
        for (int i = 0; i < Frames.SECTIONS; i++) {
            mask |= sections[i] == null ? 0 : 1 << i;
        }
        return mask;
    }

    private static int wide(byte[][] sections, int mask) {
        int wide = 0;
        for (int rest = mask; rest != 0; rest &= rest - 1) {
            int index = Integer.numberOfTrailingZeros(rest);
            wide |= Indices.isWide(sections[index]) ? 1 << index : 0;
        }
        return wide;
    }

    private static int sizeOf(byte[][] sections, int mask) {
        return Indices.BLOCKS * (Integer.bitCount(mask) + Integer.bitCount(wide(sections, mask)));
    }

    private static void put(ByteBuffer out, byte[][] sections, int mask) {
        for (int rest = mask; rest != 0; rest &= rest - 1) {
            out.put(sections[Integer.numberOfTrailingZeros(rest)]);
        }
    }
}
