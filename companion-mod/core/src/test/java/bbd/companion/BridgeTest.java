package bbd.companion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.net.TokenFile;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Indices;
import bbd.companion.protocol.Json;
import bbd.companion.server.BlockEdit;
import bbd.companion.server.ServerAdapter;
import bbd.companion.server.ServerInfo;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole companion over a real socket, in a server that is nothing but its world. */
@Timeout(60)
class BridgeTest {
    private static final String OVERWORLD = "minecraft:overworld";
    @TempDir
    Path folder;
    private MemoryWorld world;
    private Companion companion;
    private ScheduledExecutorService ticks;
    private String token;
    private final List<Client> clients = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        Files.createDirectories(folder.resolve("bbd"));
        Files.writeString(folder.resolve("bbd/demo.json"), descriptor("demo", 0));
        world = new MemoryWorld(folder.resolve("region"));
        begin(Config.standard().withPort(0).withCreate(true, true));
    }

    private void begin(Config config) throws IOException {
        Path file = folder.resolve("token");
        companion = new Companion(new Adapter(), config, TokenFile.at(file), null);
        token = Files.readString(file).strip();
        ticks = Executors.newSingleThreadScheduledExecutor();
        ticks.scheduleAtFixedRate(() -> companion.tick(2), 10, 10, TimeUnit.MILLISECONDS);
    }

    @AfterEach
    void stop() throws InterruptedException {
        for (Client client : clients) {
            client.closeBlocking();
        }
        companion.close();
        ticks.shutdown();
    }

    private static String descriptor(String name, int origin) {
        return """
                {"format": 1, "name": "%s", "size": 67108864, "codec": "byte", "palette": "palette256",
                 "layout": {"name": "hilbert"}, "origin": [%d, 0], "dimension": "minecraft:overworld", "parity": 2,
                 "edits": "repair", "id": "00112233-4455-6677-8899-aabbccddeeff", "clean": true, "epoch": 0,
                 "journal": null, "compat": [], "ro_compat": [], "incompat": []}""".formatted(name, origin);
    }

    private final class Adapter implements ServerAdapter {
        @Override
        public ServerInfo info() {
            return new ServerInfo("Memory", "1", "26.1.2", 775);
        }

        @Override
        public Path world() {
            return folder;
        }

        @Override
        public Optional<WorldAdapter> dimension(String name) {
            return name.equals(OVERWORLD) ? Optional.of(world) : Optional.empty();
        }

        @Override
        public int players() {
            return 0;
        }
    }

    private Client connect(Map<String, String> headers) throws InterruptedException {
        Client client = new Client(URI.create("ws://127.0.0.1:" + companion.port() + "/"), headers);
        client.connectBlocking(10, TimeUnit.SECONDS);
        clients.add(client);
        return client;
    }

    private Client greeted(String instance) throws InterruptedException {
        Client client = connect(Map.of());
        Map<?, ?> welcome = client.ask("\"do\": \"hello\", \"versions\": [1], \"client\": \"test\", \"instance\": \""
                + instance + "\", \"token\": \"" + token + "\"");
        assertEquals(1L, welcome.get("version"), String.valueOf(welcome));
        return client;
    }

    private static final String OPEN = "\"do\": \"open\", \"disk\": \"demo\", \"palette\": "
            + "[{\"name\": \"minecraft:a\"}, {\"name\": \"minecraft:b\"}, {\"name\": \"minecraft:air\"}]";

    private Client opened() throws InterruptedException {
        Client client = greeted("");
        Map<?, ?> answer = client.ask(OPEN);
        assertEquals(1L, answer.get("disk"), String.valueOf(answer));
        return client;
    }

    private static char[] section(int seed) {
        Random random = new Random(seed);
        char[] section = new char[Indices.BLOCKS];
        for (int i = 0; i < section.length; i++) {
            section[i] = (char) random.nextInt(3);
        }
        return section;
    }

    private static Frames.Change change(int x, long stamp, long generation, int index, char[] section) {
        byte[][] sections = new byte[Frames.SECTIONS][];
        sections[index] = Indices.of(section);
        return new Frames.Change(x, 0, true, false, 1 << index, 0, stamp, generation, sections);
    }

    @Test
    void whatIsWrittenIsConfirmedAndReadAgain() throws Exception {
        Client client = opened();
        assertEquals(Frames.Status.ABSENT, client.read(5, 0).status());
        Frames.Outcome outcome = client.written(change(5, 0, 7, 3, section(1)));
        assertEquals(0, outcome.code());
        Frames.Outcome confirmed = client.confirmed();
        assertEquals(0, confirmed.code());
        assertEquals(7, confirmed.generation());
        assertTrue(world.files().anew().column(new ChunkPos(5, 0)).isPresent(), "it is in the file");
        assertEquals(Set.of(), world.holds.keySet(), "no chunk is kept for nothing");
        Frames.Standing standing = client.read(5, 0);
        assertArrayEquals(Indices.of(section(1)), standing.sections()[3]);
        assertEquals(outcome.stamp(), standing.stamp());
        assertEquals(7, standing.generation());
    }

    @Test
    void anUnseenChangeIsNotWrittenOver() throws Exception {
        Client client = opened();
        Frames.Outcome first = client.written(change(5, 0, 1, 3, section(1)));
        assertEquals(14, client.written(change(5, 0, 2, 3, section(2))).code());
        assertEquals(14, client.written(change(5, first.stamp() + 1, 2, 3, section(2))).code());
        assertArrayEquals(Indices.of(section(1)), client.read(5, 0).sections()[3]);
        Frames.Outcome second = client.written(change(5, first.stamp(), 2, 4, section(2)));
        assertEquals(0, second.code());
        assertNotEquals(first.stamp(), second.stamp());
        assertArrayEquals(Indices.of(section(1)), client.read(5, 0).sections()[3], "the other section stays");
    }

    @Test
    void manyWritesInFlightOfOneColumnKeepTheirOrder() throws Exception {
        Client client = opened();
        for (int i = 1; i <= 50; i++) {
            byte[][] sections = new byte[Frames.SECTIONS][];
            sections[0] = Indices.of(section(i));
            Frames.Change change = new Frames.Change(1, 1, false, false, 1, 0, 0, i, sections);
            client.send(Frames.write(new Frames.Write(1000 + i, 1, List.of(change), 0)));
        }
        assertEquals(Map.of(), client.ask("\"do\": \"sync\", \"disk\": 1"));
        Frames.Standing standing = client.read(1, 1);
        assertEquals(50, standing.generation());
        assertArrayEquals(Indices.of(section(50)), standing.sections()[0]);
    }

    @Test
    void failuresConfirmNothingAndAreTriedAgain() throws Exception {
        Client client = opened();
        world.failing = new IOException("No space left on device");
        assertEquals(0, client.written(change(5, 0, 7, 3, section(1))).code());
        assertEquals(17, client.confirmed().code());
        assertEquals("no_space", client.ask("\"do\": \"sync\", \"disk\": 1").get("code"));
        assertEquals(0, client.written(change(6, 0, 8, 3, section(2))).code());
        Frames.Outcome later = client.confirmed();
        assertEquals(17, later.code(), "what was applied since the first failure is told, too");
        assertEquals(6, later.x());
        world.failing = null;
        assertEquals(0, client.confirmed().code());
    }

    @Test
    void whatAClientLeftIsWaitedForByTheNext() throws Exception {
        Client first = opened();
        world.failing = new IOException("No space left on device");
        first.written(change(5, 0, 7, 3, section(1)));
        assertEquals(17, first.confirmed().code());
        first.closeBlocking();
        Client second = greeted("other");
        Map<?, ?> opened = openedAfterAnother(second);
        second.send(Frames.write(new Frames.Read(900, (Long) opened.get("disk"),
                List.of(new Frames.Wanted(5, 0, Frames.ALL_SECTIONS)))));
        assertArrayEquals(Indices.of(section(1)),
                second.next(Frames.Columns.class).columns().get(0).sections()[3], "it is in memory");
        String disk = "\"disk\": " + opened.get("disk");
        assertEquals("no_space", second.ask("\"do\": \"sync\", " + disk).get("code"));
        assertEquals("no_space", second.ask("\"do\": \"pause\", " + disk).get("code"));
        assertEquals(1L, ((Map<?, ?>) ((List<?>) second.ask("\"do\": \"stats\"").get("disks")).get(0))
                .get("unconfirmed"));
        world.failing = null;
        assertEquals(Map.of(), second.ask("\"do\": \"sync\", " + disk));
        assertTrue(world.files().anew().column(new ChunkPos(5, 0)).isPresent(), "it is in the file");
    }

    private static Map<?, ?> openedAfterAnother(Client client) throws InterruptedException {
        Map<?, ?> answer = client.ask(OPEN);
        while (!answer.containsKey("disk")) {
            assertEquals("in_use", answer.get("code"));
            answer = client.ask(OPEN);
        }
        return answer;
    }

    @Test
    void aServerThatOnlyClaimsToHaveSavedConfirmsNothing() throws Exception {
        Client client = opened();
        world.lying = true;
        client.written(change(5, 0, 7, 3, section(1)));
        Thread.sleep(500);
        assertTrue(client.told.isEmpty(), "confirmed: " + client.told);
        world.lying = false;
        assertEquals(7, client.confirmed().generation());
    }

    @Test
    void blocksOutsideThePaletteAreToldByName() throws Exception {
        Client client = opened();
        char[][] sections = new char[Frames.SECTIONS][];
        sections[2] = new char[Indices.BLOCKS];
        sections[2][9] = world.states().number(new BlockState("minecraft:c", Map.of("axis", "x")));
        synchronized (world) {
            world.loaded.put(new ChunkPos(2, 0), sections);
        }
        client.send(Frames.write(new Frames.Read(77, 1, List.of(new Frames.Wanted(2, 0, 4)))));
        Map<?, ?> blocks = client.push("blocks");
        assertEquals(3L, blocks.get("first"));
        assertEquals(List.of(Map.of("name", "minecraft:c", "properties", Map.of("axis", "x"))), blocks.get("blocks"));
        byte[] found = client.next(Frames.Columns.class).columns().get(0).sections()[2];
        assertEquals(3, Indices.at(found, 9));
        assertEquals(2, Indices.at(found, 8), "air is the palette's");
    }

    @Test
    void editsAreCancelledOrTold() throws Exception {
        Client client = opened();
        assertFalse(companion.edits().allows(OVERWORLD, 10, 5, 10));
        assertTrue(companion.edits().allows(OVERWORLD, 10, -5, 10), "below the disk");
        assertTrue(companion.edits().allows(OVERWORLD, -10, 5, 10), "beside it");
        companion.disks().protect("demo", false);
        assertTrue(companion.edits().allows(OVERWORLD, 10, 5, 10));
        companion.edits().changed(new BlockEdit(OVERWORLD, 10, 40, 10, "a", "b", "block_place", "Steve"));
        Map<?, ?> changed = client.push("changed");
        assertEquals(List.of(Map.of("x", 0L, "z", 0L, "mask", 4L, "count", 1L)), changed.get("columns"));
        assertEquals("Steve", ((Map<?, ?>) ((List<?>) changed.get("edits")).get(0)).get("who"));
    }

    @Test
    void whatNoEventTellsIsFound() throws Exception {
        Client client = opened();
        client.written(change(5, 0, 1, 3, section(1)));
        client.ask("\"do\": \"sync\", \"disk\": 1");
        char[][] sections = new char[Frames.SECTIONS][];
        sections[3] = new char[Indices.BLOCKS];
        sections[3][0] = 1;
        synchronized (world) {
            world.loaded.put(new ChunkPos(5, 0), sections);
        }
        Map<?, ?> edit = (Map<?, ?>) ((List<?>) client.push("changed").get("edits")).get(0);
        assertEquals("unseen", edit.get("cause"));
    }

    @Test
    void anUnreadableChunkIsAnErrorUntilItIsReplaced() throws Exception {
        Client client = opened();
        client.written(change(5, 0, 1, 3, section(1)));
        client.ask("\"do\": \"sync\", \"disk\": 1");
        Path file = folder.resolve("region/r.0.0.mca");
        byte[] bytes = Files.readAllBytes(file);
        int sector = ByteBuffer.wrap(bytes).getInt(4 * 5) >>> 8;
        java.util.Arrays.fill(bytes, sector * 4096 + 5, sector * 4096 + 100, (byte) 0x55);
        Files.write(file, bytes);
        assertEquals(Frames.Status.UNREADABLE, client.read(5, 0).status());
        assertEquals(15, client.written(change(5, 0, 2, 3, section(2))).code());
        Map<?, ?> raw = client.ask("\"do\": \"raw\", \"disk\": 1, \"x\": 5, \"z\": 0, \"at\": 1, \"size\": 3");
        assertEquals("VVVV", raw.get("data"));
        Frames.Change change = change(5, 0, 3, 3, section(2));
        assertEquals(0, client.written(
                new Frames.Change(5, 0, true, true, change.mask(), 0, 0, 3, change.sections())).code());
        assertEquals(0, client.confirmed().code());
        assertArrayEquals(Indices.of(section(2)), client.read(5, 0).sections()[3]);
    }

    @Test
    void whatIsOutsideIsRefused() throws Exception {
        Client client = opened();
        client.send(Frames.write(new Frames.Read(900, 1, List.of(new Frames.Wanted(-1, 0, 1)))));
        assertEquals("outside", ((Map<?, ?>) client.next(Map.class).get("error")).get("code"));
        client.send(Frames.write(new Frames.Write(901, 1, List.of(change(0, 0, 1, 19, section(1))), 0)));
        assertEquals("outside", ((Map<?, ?>) client.next(Map.class).get("error")).get("code"));
    }

    @Test
    void aPauseHoldsWritesAndNotReads() throws Exception {
        Client client = opened();
        assertEquals(Map.of(), client.ask("\"do\": \"pause\", \"disk\": 1"));
        client.send(Frames.write(new Frames.Write(900, 1, List.of(change(5, 0, 1, 3, section(1))), 0)));
        assertEquals(Frames.Status.ABSENT, client.read(5, 0).status());
        Thread.sleep(200);
        assertTrue(client.told.isEmpty());
        client.send("{\"id\": 901, \"do\": \"resume\", \"disk\": 1}");
        assertEquals(0, client.next(Frames.Outcomes.class).columns().get(0).code());
    }

    @Test
    void aPauseInTheGameOutlivesAConnection() throws Exception {
        Client first = greeted("me");
        assertEquals(false, first.ask(OPEN).get("paused"));
        companion.commands().run(List.of("pause", "demo"), "op", line -> {});
        assertEquals("paused", first.push("paused").get("push"));
        Client second = greeted("me");
        Map<?, ?> answer = second.ask(OPEN);
        assertEquals(true, answer.get("paused"));
        second.send(Frames.write(new Frames.Write(900, (Long) answer.get("disk"),
                List.of(change(5, 0, 1, 3, section(1))), 0)));
        Thread.sleep(200);
        assertTrue(second.told.isEmpty());
        companion.commands().run(List.of("resume", "demo"), "op", line -> {});
        assertEquals(0, second.next(Frames.Outcomes.class).columns().get(0).code());
        companion.commands().run(List.of("pause", "demo"), "op", line -> {});
        second.ask("\"do\": \"close\", \"disk\": 2");
        assertTrue(companion.commands().run(List.of("resume", "demo"), "op", line -> {}).lines().get(0)
                .contains("goes on when"));
        assertEquals(false, second.ask(OPEN).get("paused"));
    }

    @Test
    void aDiskIsOpenOnceAndItsOwnerMayComeAgain() throws Exception {
        Client first = greeted("me");
        assertEquals(1L, first.ask(OPEN).get("disk"));
        assertEquals("in_use", greeted("other").ask(OPEN).get("code"));
        assertEquals(2L, greeted("me").ask(OPEN).get("disk"));
        assertEquals(4008, first.next(Integer.class));
    }

    @Test
    void whatAClientHadNotWrittenWhenItWentIsNotWrittenLater() throws Exception {
        Client first = opened();
        ticks.shutdown();
        assertTrue(ticks.awaitTermination(10, TimeUnit.SECONDS));
        first.send(Frames.write(new Frames.Write(900, 1, List.of(change(5, 0, 1, 3, section(1))), 0)));
        // Answered by the thread that has taken the write: it waits for a tick now.
        first.ask("\"do\": \"stats\"");
        first.closeBlocking();
        Client second = greeted("other");
        openedAfterAnother(second);
        second.send(Frames.write(new Frames.Read(901, 2, List.of(new Frames.Wanted(5, 0, Frames.ALL_SECTIONS)))));
        assertEquals(Frames.Status.ABSENT, second.next(Frames.Columns.class).columns().get(0).status());
        for (int i = 0; i < 20; i++) {
            companion.tick(2);
            Thread.sleep(10);
        }
        second.send(Frames.write(new Frames.Read(902, 2, List.of(new Frames.Wanted(5, 0, Frames.ALL_SECTIONS)))));
        assertEquals(Frames.Status.ABSENT, second.next(Frames.Columns.class).columns().get(0).status());
    }

    @Test
    void aPaletteOfUnknownBlocksIsRefused() throws Exception {
        Client client = greeted("");
        assertEquals("bad_palette", client.ask(OPEN.replace("minecraft:b", "nonsense")).get("code"));
        assertEquals("bad_palette", client.ask(OPEN.replace("minecraft:b", "minecraft:a")).get("code"));
        assertEquals("bad_palette", client.ask(OPEN.replace("minecraft:air", "minecraft:c")).get("code"));
        assertTrue(client.ask(OPEN).get("disk") instanceof Long);
    }

    @Test
    void presenceAndFingerprintsAreTheFiles() throws Exception {
        Client client = opened();
        assertEquals(List.of(), client.ask("\"do\": \"regions\", \"disk\": 1").get("regions"));
        client.written(change(5, 0, 1, 3, section(1)));
        client.ask("\"do\": \"sync\", \"disk\": 1");
        assertEquals(List.of(List.of(0L, 0L)), client.ask("\"do\": \"regions\", \"disk\": 1").get("regions"));
        Map<?, ?> found = client.ask("\"do\": \"presence\", \"disk\": 1, \"regions\": [[0, 0], [7, 7]]");
        byte[] bits = Base64.getDecoder().decode((String) ((List<?>) found.get("presence")).get(0));
        assertEquals(1 << 5, bits[0]);
        List<?> fingerprint = (List<?>) ((List<?>) found.get("fingerprints")).get(0);
        assertEquals(Files.size(folder.resolve("region/r.0.0.mca")), fingerprint.get(0));
        assertEquals(null, ((List<?>) found.get("fingerprints")).get(1));
    }

    @Test
    void filesOfTheDiskAndNoOthers() throws Exception {
        Client client = opened();
        String data = Base64.getEncoder().encodeToString("hello".getBytes(StandardCharsets.UTF_8));
        assertEquals(Map.of(), client.ask("\"do\": \"file_write\", \"disk\": 1, \"file\": \"demo.columns\", "
                + "\"create\": true, \"writes\": [{\"at\": 8192, \"data\": \"" + data + "\"}]"));
        Map<?, ?> stat = client.ask("\"do\": \"file_stat\", \"disk\": 1, \"file\": \"demo.columns\"");
        assertEquals(List.of(List.of(8192L, 8197L)), stat.get("data"));
        assertEquals(data, client.ask("\"do\": \"file_read\", \"disk\": 1, \"file\": \"demo.columns\", \"at\": 8192, "
                + "\"size\": 100").get("data"));
        for (String name : List.of("../level.dat", "other.json", "demo.json/x", "quarantine/../demo.json", "",
                "/etc/passwd",
                "quarantine/.x")) {
            assertEquals("not_allowed", client.ask("\"do\": \"file_read\", \"disk\": 1, \"file\": \"" + name
                    + "\", \"at\": 0, \"size\": 1").get("code"), name);
        }
        assertEquals("no_such_file", client.ask("\"do\": \"file_stat\", \"disk\": 1, \"file\": \"demo.regions\"")
                .get("code"));
        // To write a descriptor in part is one thing, to sync what a killed client left of it another.
        String part = "\"do\": \"file_write\", \"disk\": 1, \"file\": \"demo.json\", \"writes\": ";
        assertEquals("not_allowed", client.ask(part + "[{\"at\": 0, \"data\": \"" + data + "\"}]").get("code"));
        assertEquals("not_allowed", client.ask(part + "[], \"size\": 0").get("code"));
        assertEquals("not_allowed", client.ask("\"do\": \"file_remove\", \"disk\": 1, \"file\": \"demo.json\"")
                .get("code"));
        assertEquals(Map.of(), client.ask(part + "[]"));
        assertEquals(descriptor("demo", 0), Files.readString(folder.resolve("bbd/demo.json")));
        String moved = Base64.getEncoder().encodeToString(descriptor("demo", 64).getBytes(StandardCharsets.UTF_8));
        assertEquals("not_allowed", client.ask("\"do\": \"file_replace\", \"disk\": 1, \"file\": \"demo.json\", "
                + "\"data\": \"" + moved + "\"").get("code"));
    }

    @Test
    void aDiskIsMadeWhenAnOperatorAllowsIt() throws Exception {
        Client client = greeted("");
        String there = Base64.getEncoder().encodeToString(descriptor("new", 64).getBytes(StandardCharsets.UTF_8));
        String taken = Base64.getEncoder().encodeToString(descriptor("new", 0).getBytes(StandardCharsets.UTF_8));
        String ask = "\"do\": \"create\", \"disk\": \"new\", \"files\": {\"new.json\": \"";
        assertEquals("exists", client.ask(ask + taken + "\"}").get("code"));
        assertEquals("approval_needed", client.ask(ask + there + "\"}").get("code"));
        assertTrue(companion.commands().run(List.of("approve", "new"), "op", line -> {}).lines().get(0)
                .contains("allowed"));
        assertEquals(Map.of(), client.ask(ask + there + "\"}"));
        assertTrue(Files.exists(folder.resolve("bbd/new.json")));
    }

    @Test
    void aDiskGrowsWhenAnOperatorAllowsIt() throws Exception {
        Client client = opened();
        String larger = descriptor("demo", 0).replace("67108864", "134217728");
        String ask = "\"do\": \"file_replace\", \"disk\": 1, \"file\": \"demo.json\", \"data\": \""
                + Base64.getEncoder().encodeToString(larger.getBytes(StandardCharsets.UTF_8)) + "\"";
        assertEquals("approval_needed", client.ask(ask).get("code"));
        assertEquals(descriptor("demo", 0), Files.readString(folder.resolve("bbd/demo.json")));
        companion.commands().run(List.of("approve", "demo"), "op", line -> {});
        assertEquals(Map.of(), client.ask(ask));
        assertEquals(larger, Files.readString(folder.resolve("bbd/demo.json")));
        String same = larger.replace("\"repair\"", "\"accept\"");
        assertEquals(Map.of(), client.ask(ask.replaceAll("\"data\": \".*", "\"data\": \""
                + Base64.getEncoder().encodeToString(same.getBytes(StandardCharsets.UTF_8)) + "\"")));
    }

    @Test
    void strangersAreRefused() throws Exception {
        Client wrong = connect(Map.of());
        assertEquals("unauthorized", ((Map<?, ?>) error(wrong,
                "{\"id\": 1, \"do\": \"hello\", \"versions\": [1], \"token\": \"\"}")).get("code"));
        assertEquals(4005, wrong.next(Integer.class));
        Client old = connect(Map.of());
        assertEquals("version", ((Map<?, ?>) error(old,
                "{\"id\": 1, \"do\": \"hello\", \"versions\": [2], \"token\": \"" + token + "\"}")).get("code"));
        assertEquals(4004, old.next(Integer.class));
        Client early = connect(Map.of());
        assertEquals("bad_frame", ((Map<?, ?>) error(early, "{\"id\": 1, \"do\": \"disks\"}")).get("code"));
        assertFalse(connect(Map.of("Origin", "http://localhost")).isOpen());
        assertFalse(connect(Map.of("Host", "example.org")).isOpen());
    }

    private static Object error(Client client, String text) throws InterruptedException {
        client.send(text);
        return client.next(Map.class).get("error");
    }

    @Test
    void thoseWhoSayNothingAreClosed() throws Exception {
        stop();
        clients.clear();
        Config config = Config.standard();
        begin(new Config(config.bind(), 0, Set.of(), true, false, true, 25, Duration.ofMillis(200)));
        assertEquals(4006, connect(Map.of()).next(Integer.class));
    }

    @Test
    void thoseWhoGoBeforeTheyAreAWebsocketKeepNobodyOut() throws Exception {
        stop();
        clients.clear();
        Config config = Config.standard();
        begin(new Config(config.bind(), 0, Set.of(), true, false, true, 25, Duration.ofSeconds(60)));
        for (int i = 0; i < 20; i++) {
            try (Socket raw = new Socket("127.0.0.1", companion.port())) {
                raw.getOutputStream().write("GET / HTTP/1.1\r\nHost: loc".getBytes(StandardCharsets.US_ASCII));
            }
        }
        for (int tries = 0; !connect(Map.of()).isOpen(); tries++) {
            assertTrue(tries < 100, "they still count");
            Thread.sleep(50);
        }
    }

    @Test
    void hostileFramesEndTheConnectionAndNothingElse() throws Exception {
        Client good = opened();
        Random random = new Random(3);
        for (int round = 0; round < 40; round++) {
            Client bad = greeted("");
            byte[] bytes = new byte[random.nextInt(200)];
            random.nextBytes(bytes);
            if (bytes.length > 0) {
                bytes[0] = (byte) (1 + random.nextInt(2));
            }
            bad.send(bytes);
            assertEquals(4001, bad.next(Integer.class));
        }
        assertEquals(Frames.Status.ABSENT, good.read(0, 0).status());
    }

    @Test
    void textVectorsAreAnsweredAsTheySay() throws Exception {
        for (Map<String, Object> vector : Vectors.bridge("text.json")) {
            if (vector.containsKey("meaning")) {
                assertEquals(vector.get("meaning"), Json.parse((String) vector.get("text")));
                assertEquals(vector.get("meaning"), Json.parse(Json.write(vector.get("meaning"))));
            } else {
                Client client = greeted("");
                assertEquals(vector.get("error"),
                        ((Map<?, ?>) error(client, (String) vector.get("text"))).get("code"),
                        (String) vector.get("name"));
                client.closeBlocking();
            }
        }
        for (Map<String, Object> vector : Vectors.bridge("states.json")) {
            BlockState state = BlockState.parse((String) vector.get("text"));
            assertEquals(vector.get("text"), state.toString());
            assertEquals(vector.get("name"), state.name());
            assertEquals(vector.get("properties"), state.properties());
        }
    }

    @Test
    void byeIsAnsweredAndEndsInOrder() throws Exception {
        Client client = opened();
        client.written(change(5, 0, 1, 3, section(1)));
        assertEquals(Map.of(), client.ask("\"do\": \"bye\""));
        assertEquals(1000, client.next(Integer.class));
        assertTrue(world.files().anew().column(new ChunkPos(5, 0)).isPresent());
    }

    @Test
    void byeIsAnsweredWhenThereIsNothingToWaitFor() throws Exception {
        for (int round = 0; round < 100; round++) {
            Client client = greeted("");
            assertEquals(Map.of(), client.ask("\"do\": \"bye\""), "round " + round);
            assertEquals(1000, client.next(Integer.class));
        }
    }

    @Test
    void commandsSpeakOfOffsets() {
        var commands = companion.commands();
        var where = commands.run(List.of("where", "0x100"), "op", line -> {});
        assertEquals(7, where.destination().orElseThrow().x());
        assertEquals(1, where.destination().orElseThrow().y());
        assertEquals(0x100, commands.what(OVERWORLD, 7, 1, 0).orElseThrow().offset());
        assertEquals("demo 0x100: 0x41 'A'", commands.what(OVERWORLD, 7, 1, 0).orElseThrow().describe('A'));
        assertTrue(commands.what(OVERWORLD, 7, 300, 0).isEmpty());
        assertTrue(commands.run(List.of("where", "64M"), "op", line -> {}).lines().get(0).contains("ends before"));
        assertTrue(commands.run(List.of("where", "x"), "op", line -> {}).lines().get(0).contains("no offset"));
        assertTrue(commands.run(List.of("info"), "op", line -> {}).lines().get(0).startsWith("demo: 64 MiB"));
        assertTrue(commands.run(List.of("pause"), "op", line -> {}).lines().get(0).contains("Nobody"));
        assertEquals(List.of("pause", "protect"), commands.complete(List.of("p")));
    }

    @Test
    void aTokenThatOthersCanReadIsNotUsed() throws IOException {
        Path file = folder.resolve("token");
        assertEquals("rw-------", java.nio.file.attribute.PosixFilePermissions.toString(
                Files.getPosixFilePermissions(file)));
        Files.setPosixFilePermissions(file, java.nio.file.attribute.PosixFilePermissions.fromString("rw-r--r--"));
        assertThrows(IOException.class, () -> TokenFile.at(file));
    }
}
