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
        ByteBuffer out = begun(Frames.READ, frame.request(), frame.disk(), frame.columns().size(),
                Frames.READ_ENTRY * frame.columns().size());
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
        ByteBuffer out = begun(Frames.WRITE, frame.request(), frame.disk(), frame.columns().size(), size);
        for (Change one : frame.columns()) {
            out.putInt(one.x()).putInt(one.z()).putInt((one.expect() ? 1 : 0) | (one.replace() ? 2 : 0));
            out.putInt(one.mask()).putInt(wide(one.sections(), one.mask())).putInt(one.air());
            out.putInt(sizeOf(one.sections(), one.mask())).putInt(0).putLong(one.stamp()).putLong(one.generation());
            put(out, one.sections(), one.mask());
        }
        return out.flip();
    }

    /** One column of a COLUMNS frame. */
    static ByteBuffer entry(Standing one) {
        int mask = mask(one.sections());
        byte[] text = one.why().getBytes(StandardCharsets.UTF_8);
        int size = sizeOf(one.sections(), mask) + text.length;
        ByteBuffer out = room(Frames.COLUMN_ENTRY + size);
        out.putInt(one.x()).putInt(one.z()).putInt(one.status().ordinal()).putInt(mask)
                .putInt(wide(one.sections(), mask));
        out.putInt(size).putLong(one.stamp()).putLong(one.generation());
        put(out, one.sections(), mask);
        return out.put(text).flip();
    }

    /** The frame of columns' {@link #entry entries}, in parts. */
    static List<ByteBuffer> columns(long request, long disk, List<ByteBuffer> entries) {
        List<ByteBuffer> parts = new ArrayList<>(
                List.of(begun(Frames.COLUMNS, request, disk, entries.size(), 0).flip()));
        parts.addAll(entries);
        return parts;
    }

    private static ByteBuffer writeColumns(Columns frame) {
        List<ByteBuffer> entries = frame.columns().stream().map(FrameWriter::entry).toList();
        List<ByteBuffer> parts = columns(frame.request(), frame.disk(), entries);
        ByteBuffer out = room(parts.stream().mapToInt(ByteBuffer::remaining).sum());
        parts.forEach(out::put);
        return out.flip();
    }

    private static ByteBuffer writeOutcomes(Outcomes frame) {
        int kind = frame.confirmed() ? Frames.CONFIRMED : Frames.WRITTEN;
        ByteBuffer out = begun(kind, frame.request(), frame.disk(), frame.columns().size(),
                Frames.OUTCOME_ENTRY * frame.columns().size());
        for (Outcome one : frame.columns()) {
            out.putInt(one.x()).putInt(one.z()).putInt(one.code()).putInt(0).putLong(one.stamp())
                    .putLong(one.generation());
        }
        return out.flip();
    }

    private static ByteBuffer begun(int kind, long request, long disk, int count, int size) {
        ByteBuffer out = room(Frames.HEADER + size);
        out.put((byte) kind).put((byte) 0).putShort((short) count);
        return out.putInt((int) request).putInt((int) disk).putInt(0);
    }

    private static ByteBuffer room(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
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
