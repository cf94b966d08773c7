package bbd.companion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.RawClient.Frame;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Indices;
import bbd.companion.protocol.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Fragments of messages (RFC 6455, 5.4): those that the companion sends columns in, and those of clients. */
class BridgeFragmentsTest extends BridgeFixture {
    private static final int PROTOCOL_ERROR = 1002;
    private static final int TOO_BIG = 1009;
    private static final int NOT_UTF8 = 1007;
    private static final int COLUMN_ENTRY = 40;
    private static final int WRITE_ENTRY = 48;

    private RawClient raw() throws IOException {
        RawClient client = new RawClient(companion.port());
        assertTrue(ask(client, "{\"id\": 1, \"do\": \"hello\", \"versions\": [1], \"client\": \"raw\", \"token\": \""
                + token + "\"}").containsKey("ok"));
        assertTrue(ask(client, "{\"id\": 2, " + OPEN + "}").containsKey("ok"));
        return client;
    }

    /** The answer to a request in text; what comes in bytes before is dropped. */
    private static Map<?, ?> ask(RawClient client, String request) throws IOException {
        client.put(true, RawClient.TEXT, request.getBytes(StandardCharsets.UTF_8)).flush();
        List<Frame> frames = client.message();
        while (frames.getFirst().kind() != RawClient.TEXT) {
            frames = client.message();
        }
        return (Map<?, ?>) Json.parse(new String(whole(frames), StandardCharsets.UTF_8));
    }

    private static byte[] read(int request, int columns) {
        List<Frames.Wanted> wanted = IntStream.range(0, columns)
                .mapToObj(x -> new Frames.Wanted(x, 0, Frames.ALL_SECTIONS)).toList();
        return bytes(Frames.write(new Frames.Read(request, 1, wanted)));
    }

    private static byte[] write(int request, int x, int seed) {
        byte[][] sections = new byte[Frames.SECTIONS][];
        sections[3] = Indices.of(section(seed));
        return bytes(Frames.write(new Frames.Write(request, 1,
                List.of(new Frames.Change(x, 0, false, false, 1 << 3, 0, 0, seed, sections)), 0)));
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private static byte[] whole(List<Frame> frames) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        frames.forEach(frame -> all.writeBytes(frame.data()));
        return all.toByteArray();
    }

    private static Frames.Frame parsed(List<Frame> frames) throws Exception {
        return Frames.parse(ByteBuffer.wrap(whole(frames)), 32);
    }

    /** The next message in bytes that is no confirmation. */
    private static Frames.Frame answer(RawClient client) throws Exception {
        while (true) {
            Frames.Frame frame = parsed(client.message());
            if (!(frame instanceof Frames.Outcomes outcomes && outcomes.confirmed())) {
                return frame;
            }
        }
    }

    private static List<Integer> kinds(List<Frame> frames) {
        return frames.stream().map(Frame::kind).toList();
    }

    @Test
    void columnsAreSentByTheColumn() throws Exception {
        try (RawClient client = raw()) {
            client.put(true, RawClient.BINARY, write(3, 1, 7)).flush();
            assertEquals(0, ((Frames.Outcomes) answer(client)).columns().get(0).code());
            ask(client, "{\"id\": 4, \"do\": \"sync\", \"disk\": 1}");
            client.put(true, RawClient.BINARY, read(5, 3)).flush();
            List<Frame> frames = client.message();
            assertEquals(List.of(RawClient.BINARY, RawClient.MORE, RawClient.MORE, RawClient.MORE), kinds(frames));
            assertEquals(List.of(false, false, false, true), frames.stream().map(Frame::last).toList());
            assertEquals(List.of(Frames.HEADER, COLUMN_ENTRY, COLUMN_ENTRY + Indices.BLOCKS,
                    COLUMN_ENTRY), frames.stream().map(frame -> frame.data().length).toList());
            List<Frames.Standing> found = ((Frames.Columns) parsed(frames)).columns();
            assertEquals(Frames.Status.ABSENT, found.get(0).status());
            assertArrayEquals(Indices.of(section(7)), found.get(1).sections()[3]);
        }
    }

    @Test
    void nothingComesBetweenAMessagesFragments() throws Exception {
        try (RawClient client = raw()) {
            int rounds = 40;
            for (int i = 0; i < rounds; i++) {
                client.put(true, RawClient.BINARY, read(100 + i, 6));
                client.put(true, RawClient.TEXT, ("{\"id\": " + (1000 + i) + ", \"do\": \"stats\"}")
                        .getBytes(StandardCharsets.US_ASCII));
                client.put(true, RawClient.BINARY, write(500 + i, i, i + 1));
                client.put(true, RawClient.PING, (byte) i);
            }
            client.flush();
            int columns = 0;
            for (int answered = 0; answered < 3 * rounds;) {
                // Others' first fragments in a message's middle would be no continuation.
                List<Frame> frames = client.message();
                assertTrue(kinds(frames).subList(1, frames.size()).stream().allMatch(kind -> kind == RawClient.MORE));
                if (frames.getFirst().kind() == RawClient.TEXT) {
                    answered++;
                } else if (parsed(frames) instanceof Frames.Outcomes outcomes) {
                    answered += outcomes.confirmed() ? 0 : 1;
                } else {
                    answered++;
                    columns += frames.size() - 1;
                }
            }
            assertEquals(6 * rounds, columns);
            assertEquals(rounds, client.came.stream().filter(frame -> frame.kind() == RawClient.PONG).count());
        }
    }

    /** A message in fragments that end at these bytes, and at its end; an end named twice makes an empty one. */
    private static void fragments(RawClient client, int kind, byte[] message, int... ends) {
        for (int i = 0; i <= ends.length; i++) {
            int start = i == 0 ? 0 : ends[i - 1];
            int end = i == ends.length ? message.length : ends[i];
            client.put(i == ends.length, i == 0 ? kind : RawClient.MORE, Arrays.copyOfRange(message, start, end));
        }
    }

    @Test
    void aClientMayCutWhereItLikes() throws Exception {
        int size = Frames.HEADER + WRITE_ENTRY + Indices.BLOCKS;
        int[][] cuts = {
                {1}, {15}, {16}, {17}, {1, 2, 3, 4, 8, 12}, {0}, {0, 0, 0}, {size}, {0, 16, 16, 16, 64, size, size},
                {Frames.HEADER + 20}, {Frames.HEADER + WRITE_ENTRY}, {size - 1},
                IntStream.range(1, size).toArray()};
        try (RawClient client = raw()) {
            int request = 10;
            for (int[] ends : cuts) {
                fragments(client, RawClient.BINARY, write(request, 2, request), ends);
                client.flush();
                Frames.Outcomes outcomes = (Frames.Outcomes) answer(client);
                assertEquals(request, outcomes.request());
                assertEquals(0, outcomes.columns().get(0).code());
                client.put(true, RawClient.BINARY, read(9, 3)).flush();
                assertArrayEquals(Indices.of(section(request)),
                        ((Frames.Columns) answer(client)).columns().get(2).sections()[3], Arrays.toString(ends));
                request++;
            }
        }
    }

    @Test
    void aClientsPingsComeBetween() throws Exception {
        try (RawClient client = raw()) {
            byte[] message = write(3, 2, 5);
            for (int start = 0; start < message.length; start += 100) {
                client.put(start + 100 >= message.length, start == 0 ? RawClient.BINARY : RawClient.MORE,
                        Arrays.copyOfRange(message, start, Math.min(start + 100, message.length)));
                client.put(true, RawClient.PING, (byte) start);
                client.put(true, RawClient.PONG);
            }
            // As the network likes to cut, too: within frames' own headers.
            client.flush(3);
            assertEquals(0, ((Frames.Outcomes) answer(client)).columns().get(0).code());
            ask(client, "{\"id\": 4, \"do\": \"stats\"}");
            assertEquals((message.length + 99) / 100,
                    client.came.stream().filter(frame -> frame.kind() == RawClient.PONG).count());
        }
    }

    @Test
    void textIsCutWithinALetter() throws Exception {
        try (RawClient client = raw()) {
            byte[] text = "{\"id\": 3, \"do\": \"bl\u00e5b\u00e6r \ud83e\udeb2\"}".getBytes(StandardCharsets.UTF_8);
            fragments(client, RawClient.TEXT, text, IntStream.range(1, text.length).toArray());
            client.flush();
            Map<?, ?> answer = (Map<?, ?>) Json.parse(client.message().getLast().text());
            assertEquals(3L, answer.get("id"));
            Map<?, ?> error = (Map<?, ?>) answer.get("error");
            assertEquals("unknown_request", error.get("code"));
            assertTrue(((String) error.get("message")).contains("bl\u00e5b\u00e6r \ud83e\udeb2"));
        }
    }

    @Test
    void aMessageThatDoesNotEndIsNone() throws Exception {
        try (RawClient client = raw()) {
            client.put(false, RawClient.BINARY, write(3, 2, 5)).flush();
            client.put(true, RawClient.PING, (byte) 1).flush();
            assertEquals(RawClient.PONG, client.next().kind());
            assertEquals(1, client.came.stream().filter(frame -> frame.kind() != RawClient.TEXT).count());
        }
        Client next = greeted("");
        BridgeSectionsTest.openedAfterAnother(next);
        next.send(Frames.write(new Frames.Read(9, 2, List.of(new Frames.Wanted(2, 0, Frames.ALL_SECTIONS)))));
        assertEquals(Frames.Status.ABSENT, next.next(Frames.Columns.class).columns().get(0).status());
    }

    @Test
    void fragmentsThatMakeNoMessageEndTheConnectionAndNothingElse() throws Exception {
        Client good = greeted("");
        refused(PROTOCOL_ERROR, client -> client.put(true, RawClient.MORE, read(3, 1)));
        refused(PROTOCOL_ERROR, client -> client.put(false, RawClient.MORE, read(3, 1)));
        refused(PROTOCOL_ERROR, client -> client.put(false, RawClient.BINARY, (byte) 1)
                .put(true, RawClient.BINARY, read(3, 1)));
        refused(PROTOCOL_ERROR, client -> client.put(false, RawClient.PING, (byte) 1));
        refused(NOT_UTF8, client -> client.put(false, RawClient.TEXT, (byte) '"', (byte) 0xC3)
                .put(true, RawClient.MORE, (byte) '"'));
        // A message, but not what the bridge speaks of: its last byte is missing, or it has none.
        refused(4001, client -> fragments(client, RawClient.BINARY, Arrays.copyOf(read(3, 1), 31), 0, 16, 30));
        refused(4001, client -> fragments(client, RawClient.BINARY, new byte[0], 0, 0));
        assertFalse(good.isClosed());
        assertTrue(good.ask("\"do\": \"stats\"").containsKey("disks"));
    }

    @Test
    void aMessageWithoutAnEndDoesNotFillTheMemory() throws Exception {
        byte[] piece = new byte[1 << 20];
        refused(TOO_BIG, client -> {
            client.put(false, RawClient.BINARY, (byte) 2);
            for (int i = 0; i < 8; i++) {
                client.put(false, RawClient.MORE, piece);
            }
        });
        refused(TOO_BIG, client -> {
            client.put(false, RawClient.BINARY, (byte) 2);
            for (int i = 0; i < 1 << 18; i++) {
                client.put(false, RawClient.MORE);
            }
        });
    }

    private interface Misdeed {
        void on(RawClient client);
    }

    private void refused(int code, Misdeed misdeed) throws Exception {
        try (RawClient client = new RawClient(companion.port())) {
            assertTrue(ask(client, "{\"id\": 1, \"do\": \"hello\", \"versions\": [1], \"token\": \"" + token + "\"}")
                    .containsKey("ok"));
            misdeed.on(client);
            client.flush();
            assertEquals(code, client.closed());
        }
    }
}
