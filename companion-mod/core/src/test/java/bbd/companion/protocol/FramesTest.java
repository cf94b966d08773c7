package bbd.companion.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.Vectors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class FramesTest {
    private static final int COLUMNS = 32;

    @TestFactory
    Stream<DynamicTest> vectors() throws IOException {
        List<Map<String, Object>> all = Vectors.bridge("binary.json");
        assertTrue(all.size() > 30);
        return all.stream().map(one -> DynamicTest.dynamicTest((String) one.get("name"), () -> check(one)));
    }

    private static void check(Map<String, Object> vector) throws BridgeException {
        ByteBuffer bytes = Vectors.bytes(vector.get("frame"));
        boolean ofClient = vector.get("from").equals("client");
        if (vector.containsKey("error")) {
            BridgeException error = assertThrows(BridgeException.class, () -> parse(bytes, ofClient));
            assertEquals(vector.get("error"), error.code().text());
            return;
        }
        Frames.Frame frame = parse(bytes, ofClient);
        assertEquals(vector.get("meaning"), meaning(frame));
        assertEquals(bytes, Frames.write(frame));
    }

    /** As a receiver does: a frame of the wrong side is none. */
    private static Frames.Frame parse(ByteBuffer bytes, boolean ofClient) throws BridgeException {
        Frames.Frame frame = Frames.parse(bytes, COLUMNS);
        if (ofClient != (frame instanceof Frames.Read || frame instanceof Frames.Write)) {
            throw new BridgeException(ErrorCode.BAD_FRAME, "of the wrong side");
        }
        return frame;
    }

    private static Map<String, Object> meaning(Frames.Frame frame) {
        List<Map<String, Object>> columns = new ArrayList<>();
        String kind = switch (frame) {
            case Frames.Read read -> {
                read.columns().forEach(one -> columns.add(entry("x", one.x(), "z", one.z(), "mask", one.mask())));
                yield "READ";
            }
            case Frames.Write write -> {
                write.columns().forEach(one -> columns.add(entry("x", one.x(), "z", one.z(), "expect", one.expect(),
                        "replace", one.replace(), "mask", one.mask(), "wide", wide(one.sections()), "air", one.air(),
                        "stamp", hex(one.stamp()), "generation", hex(one.generation()), "sections",
                        runs(one.sections()))));
                yield "WRITE";
            }
            case Frames.Columns found -> {
                found.columns().forEach(one -> columns.add(entry("x", one.x(), "z", one.z(), "status",
                        one.status().name().toLowerCase(java.util.Locale.ROOT), "mask", mask(one.sections()), "wide",
                        wide(one.sections()), "stamp", hex(one.stamp()), "generation", hex(one.generation()),
                        "sections", runs(one.sections()), "why", one.why())));
                yield "COLUMNS";
            }
            case Frames.Outcomes outcomes -> {
                outcomes.columns().forEach(one -> columns.add(entry("x", one.x(), "z", one.z(), "code", one.code(),
                        "stamp", hex(one.stamp()), "generation", hex(one.generation()))));
                yield outcomes.confirmed() ? "CONFIRMED" : "WRITTEN";
            }
        };
        return entry("kind", kind, "request", frame.request(), "disk", frame.disk(), "columns", columns);
    }

    private static Map<String, Object> entry(Object... pairs) {
        Map<String, Object> entry = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            entry.put((String) pairs[i],
                    pairs[i + 1] instanceof Integer small ? (Object) Long.valueOf(small) : pairs[i + 1]);
        }
        return entry;
    }

    private static String hex(long stamp) {
        return String.format("%016x", stamp);
    }

    private static int mask(byte[][] sections) {
        int mask = 0;
        for (int i = 0; i < sections.length; i++) {
            mask |= sections[i] == null ? 0 : 1 << i;
        }
        return mask;
    }

    private static int wide(byte[][] sections) {
        int wide = 0;
        for (int i = 0; i < sections.length; i++) {
            boolean is = sections[i] != null && Indices.isWide(sections[i]);
            wide |= is ? 1 << i : 0;
        }
        return wide;
    }

    private static Map<String, Object> runs(byte[][] bodies) {
        Map<String, Object> all = new LinkedHashMap<>();
        for (int i = 0; i < bodies.length; i++) {
            if (bodies[i] != null) {
                char[] section = Indices.chars(bodies[i]);
                List<List<Long>> runs = new ArrayList<>();
                int start = 0;
                for (int at = 1; at <= section.length; at++) {
                    if (at == section.length || section[at] != section[start]) {
                        runs.add(List.of((long) section[start], (long) at - start));
                        start = at;
                    }
                }
                all.put(String.valueOf(i), runs);
            }
        }
        return all;
    }

    /** Whatever is done to the bytes of a good frame, the answer is a frame or {@code bad_frame}. */
    @Test
    void brokenFramesAreRefusedOrFrames() throws IOException {
        List<byte[]> good = new ArrayList<>();
        for (Map<String, Object> vector : Vectors.bridge("binary.json")) {
            good.add(Vectors.bytes(vector.get("frame")).array());
        }
        Random random = new Random(17);
        int refused = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = good.get(random.nextInt(good.size())).clone();
            for (int i = random.nextInt(6); i >= 0 && bytes.length > 0; i--) {
                bytes[random.nextInt(Math.min(bytes.length, 80))] = (byte) random.nextInt();
            }
            int length = random.nextInt(4) == 0 ? random.nextInt(bytes.length + 1) : bytes.length;
            try {
                Frames.Frame frame = Frames.parse(ByteBuffer.wrap(bytes, 0, length), COLUMNS);
                assertTrue(frame.request() >= 0);
            } catch (BridgeException error) {
                assertEquals(ErrorCode.BAD_FRAME, error.code());
                refused++;
            }
        }
        assertTrue(refused > 1000);
    }
}
