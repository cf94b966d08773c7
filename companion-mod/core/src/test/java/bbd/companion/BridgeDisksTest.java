package bbd.companion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.protocol.Frames;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Disks through the bridge: opened, paused, made and grown, and the files that are theirs. */
class BridgeDisksTest extends BridgeFixture {
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
    void aDiskIsOpenOnceAndItsOwnerMayComeAgain() throws Exception {
        Client first = greeted("me");
        assertEquals(1L, first.ask(OPEN).get("disk"));
        assertEquals("in_use", greeted("other").ask(OPEN).get("code"));
        assertEquals(2L, greeted("me").ask(OPEN).get("disk"));
        assertEquals(4008, first.next(Integer.class));
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
}
