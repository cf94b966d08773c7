package bbd.companion.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.blocks.ChunkPos;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bukkit.Location;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What players may say, and what they are shown. */
@Timeout(60)
class PlayersTest {
    private static final String[] ALL = {"bbd.info", "bbd.show", "bbd.where", "bbd.operate", "bbd.approve"};
    @TempDir
    Path folder;
    private Fixture fixture;
    private FakePlayer op;
    private FakePlayer guest;

    @BeforeEach
    void start() throws IOException {
        fixture = new Fixture(folder).with();
        Files.writeString(folder.resolve("world/bbd/levers.json"), Fixture.descriptor("levers", "redstone", 64));
        fixture.start();
        fixture.world.load(new ChunkPos(0, 0));
        fixture.world.load(new ChunkPos(64, 0));
        op = new FakePlayer("op", new Location(fixture.world, 0, 100, 0), ALL);
        guest = new FakePlayer("guest", new Location(fixture.world, 0, 100, 0));
        for (FakePlayer one : List.of(op, guest)) {
            fixture.server.players.add(one);
            fixture.world.players.add(one);
        }
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    private List<String> say(FakePlayer player, String... words) {
        player.told.clear();
        fixture.server.run(() -> fixture.plugin.onCommand(player, null, "bbd", words));
        return player.told;
    }

    private List<String> complete(FakePlayer player, String... words) {
        return fixture.server.onMain(() -> fixture.plugin.onTabComplete(player, null, "bbd", words));
    }

    private void ticks(int count) {
        for (int i = 0; i < count; i++) {
            fixture.server.tick();
        }
    }

    @Test
    void everythingTakesItsPermission() {
        for (String words : List.of("info:info", "where 0:where", "pause:operate", "resume:operate",
                "protect off demo:operate", "approve x:approve", "deny x:approve", "sparkle on:show",
                "nonsense:info")) {
            String[] parts = words.split(":");
            List<String> refused = List.of("You may not: that takes the permission bbd." + parts[1] + ".");
            assertEquals(refused, say(guest, parts[0].split(" ")));
            FakePlayer allowed = new FakePlayer("one", op.at, "bbd." + parts[1]);
            assertFalse(say(allowed, parts[0].split(" ")).isEmpty());
            assertFalse(refused.equals(allowed.told), words);
        }
        assertTrue(fixture.companion().disks().isProtected("levers"));
        assertFalse(fixture.companion().disks().isProtected("demo"), "what was allowed was done");
    }

    @Test
    void completionOffersWhatIsAllowed() {
        assertEquals(List.of(), complete(guest, ""));
        guest.permissions.add("bbd.info");
        assertEquals(List.of("info"), complete(guest, ""));
        assertEquals(List.of("pause", "protect"), complete(op, "p"));
        assertEquals(List.of("sparkle"), complete(op, "s"));
        assertEquals(List.of("on", "off"), complete(op, "sparkle", ""));
        assertEquals(List.of("demo", "levers"), complete(op, "pause", ""));
    }

    @Test
    void whereBringsThoseWhoCanFly() {
        List<String> told = say(op, "where", "0x100", "demo");
        assertEquals(List.of("Byte 0x100 of demo:", "  7 1 0",
                "You are not brought there: you can't fly, and would fall."), told);
        assertEquals(100, op.at.getY());
        op.mayFly = true;
        say(op, "where", "0x100", "demo");
        assertTrue(op.flies);
        assertEquals(List.of(7.5, 1.5 - 1.6, 0.5 - 4), List.of(op.at.getX(), op.at.getY(), op.at.getZ()));
        assertEquals(0, op.at.getYaw(), "looking south, at the block");
    }

    @Test
    void theByteThatOneLooksAtIsShown() {
        fixture.world.set(7, 1, 0, "minecraft:light_gray_wool");
        op.target = fixture.world.block(7, 1, 0);
        guest.target = op.target;
        ticks(4);
        assertEquals("demo 0x100: 0x48 'H'", op.actionBar);
        assertEquals("", guest.actionBar);
        fixture.world.set(7, 1, 0, "minecraft:dirt");
        ticks(4);
        assertEquals("demo 0x100: lost", op.actionBar);
    }

    @Test
    void aByteOfLeversIsShown() {
        for (int i = 0; i < 8; i++) {
            fixture.world.set(1024 + i, 2, 0, "minecraft:lever[face=floor,facing=north,powered=" + (i == 1 || i == 7)
                    + "]");
        }
        op.target = fixture.world.block(1024 + 3, 2, 0);
        ticks(4);
        assertEquals("levers 0x0: 0x41 'A'", op.actionBar);
    }

    @Test
    void whoLooksAtNothingOrElsewhereIsShownNothing() {
        ticks(4);
        op.target = fixture.world.block(7, 300 + 10, 0);
        ticks(4);
        assertEquals("", op.actionBar);
    }

    @Test
    void theBarIsThereWhileADiskIsOpen() throws Exception {
        ticks(20);
        assertEquals(0, op.bars.size());
        fixture.server.goOn();
        BridgeClient client = BridgeClient.opened(fixture);
        client.send("{\"note\": \"activity\", \"disk\": 1, \"reads\": 812, \"writes\": 40, \"read_bytes\": 1, "
                + "\"written_bytes\": 2}");
        while (barsSaying("demo: 812 reads/s, 40 writes/s").isEmpty()) {
            FakeServer.sleep(5);
        }
        assertEquals(0, guest.bars.size());
        fixture.server.run(() -> fixture.plugin.setEnabled(false));
        assertEquals(0, op.bars.size());
    }

    private List<String> barsSaying(String text) {
        return fixture.server.onMain(() -> op.bars.stream().map(bar -> FakePlayer.text(bar.name()))
                .filter(name -> name.startsWith(text)).toList());
    }

    @Test
    void whatIsWrittenSparklesForThoseWhoWantIt() throws Exception {
        fixture.server.goOn();
        BridgeClient client = BridgeClient.opened(fixture);
        client.write(BridgeClient.change(1, false, 1, 0, BridgeClient.section(1)));
        client.outcome(false);
        assertEquals(List.of("What is written sparkles now."), say(op, "sparkle", "on"));
        guest.permissions.add("bbd.show");
        client.write(BridgeClient.change(1, false, 2, 0, BridgeClient.section(2)));
        client.outcome(false);
        while (fixture.server.onMain(() -> op.sparks.isEmpty())) {
            FakeServer.sleep(5);
        }
        assertEquals(24, op.sparks.get(0).getX());
        assertEquals(List.of(), guest.sparks);
        assertEquals(List.of("Nothing sparkles any more."), say(op, "sparkle", "off"));
    }
}
