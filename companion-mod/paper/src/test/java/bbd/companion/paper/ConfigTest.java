package bbd.companion.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

/** Starting and stopping, with what an operator may have written. */
@Timeout(60)
class ConfigTest {
    @TempDir
    Path folder;
    private Fixture fixture;

    @BeforeEach
    void make() throws IOException {
        fixture = new Fixture(folder);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    /** The one line that is said where the plugin does not start. */
    private String refused(String... lines) throws IOException {
        fixture.with(lines).start();
        assertFalse(fixture.plugin.isEnabled());
        assertEquals(null, fixture.plugin.running());
        assertEquals(1, fixture.log.size(), String.valueOf(fixture.log));
        assertEquals(1, fixture.log.get(0).lines().count(), fixture.log.get(0));
        assertTrue(fixture.log.get(0).startsWith("SEVERE bbd can't start: "), fixture.log.get(0));
        return fixture.log.get(0);
    }

    @Test
    void itStartsWithATokenThatIsTheServersAlone() throws IOException {
        fixture.with().start();
        assertTrue(fixture.plugin.isEnabled(), String.valueOf(fixture.log));
        assertEquals("rw-------",
                PosixFilePermissions.toString(Files.getPosixFilePermissions(fixture.data.resolve("token"))));
        assertTrue(fixture.log.get(0).contains("[demo]"), fixture.log.get(0));
        assertFalse(fixture.log.get(0).contains(Files.readString(fixture.data.resolve("token")).strip()));
        assertTrue(fixture.companion().disks().isProtected("demo"));
    }

    @Test
    void theConfigurationThatItBringsIsTheStandard() throws IOException {
        try (InputStream standard = getClass().getResourceAsStream("/config.yml")) {
            Map<String, Object> values = new Yaml().load(standard);
            assertEquals(bbd.companion.Settings.of(Map.of()), bbd.companion.Settings.of(values));
        }
    }

    @Test
    void thePluginsDescriptionIsComplete() throws IOException {
        try (InputStream description = getClass().getResourceAsStream("/plugin.yml")) {
            Map<String, Object> values = new Yaml().load(description);
            assertEquals(BbdPlugin.class.getName(), values.get("main"));
            assertEquals("1.21", values.get("api-version"));
            assertFalse(values.get("version").toString().contains("$"));
            assertEquals(java.util.Set.of("bbd.info", "bbd.show", "bbd.where", "bbd.operate", "bbd.approve"),
                    ((Map<?, ?>) values.get("permissions")).keySet());
        }
    }

    @Test
    void aMistakeIsOneLine() throws IOException {
        assertTrue(
                refused("tick-millis: fast").contains("tick-millis must be a whole number from 1 to 45, not 'fast'"));
    }

    @Test
    void whatIsNoYamlIsOneLine() throws IOException {
        assertTrue(refused("bind: [").contains("config.yml is no YAML: "));
    }

    @Test
    void aListIsNoConfiguration() throws IOException {
        Files.createDirectories(fixture.data);
        Files.writeString(fixture.data.resolve("config.yml"), "- 1\n");
        fixture.start();
        assertTrue(fixture.log.get(0).contains("is no YAML: Top level is not a Map."), fixture.log.get(0));
    }

    @Test
    void aWorldThatIsNotThereIsOneLine() throws IOException {
        assertTrue(refused("world: disks").contains("the server has no world 'disks'; it has world"));
    }

    @Test
    void aCertificateThatIsNotThereIsOneLine() throws IOException {
        assertTrue(refused("certificate: a.pem", "key: b.pem").contains("there is no"));
    }

    @Test
    void withACertificateTheBridgeSpeaksTls() throws Exception {
        fixture.with("bind: '0.0.0.0'", "certificate: certificate.pem", "key: key.pem");
        for (String name : List.of("certificate.pem", "key.pem")) {
            Files.copy(Path.of("../core/src/test/resources/tls", name), fixture.data.resolve(name));
        }
        Files.setPosixFilePermissions(fixture.data.resolve("key.pem"), PosixFilePermissions.fromString("rw-------"));
        fixture.start();
        assertTrue(fixture.plugin.isEnabled(), String.valueOf(fixture.log));
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream pem = Files.newInputStream(fixture.data.resolve("certificate.pem"))) {
            trusted.setCertificateEntry("it", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext client = SSLContext.getInstance("TLS");
        client.init(null, trust.getTrustManagers(), null);
        BridgeClient visitor = BridgeClient.of(fixture, client.getSocketFactory());
        assertEquals(List.of("demo"), ((List<?>) visitor.ask("\"do\": \"disks\"").get("disks")).stream()
                .map(disk -> ((Map<?, ?>) disk).get("name")).toList());
        assertEquals(Map.of(), visitor.ask("\"do\": \"bye\""));
        assertEquals(1000, visitor.next(Integer.class));
    }

    @Test
    void withoutOneItDoesNotListenToOthers() throws IOException {
        assertTrue(refused("bind: '0.0.0.0'").contains("set certificate and key, or insecure: true"));
    }

    @Test
    void aTokenThatOthersCanReadIsOneLine() throws IOException {
        fixture.with();
        Files.writeString(fixture.data.resolve("token"), "0".repeat(64));
        Files.setPosixFilePermissions(fixture.data.resolve("token"), PosixFilePermissions.fromString("rw-r--r--"));
        assertTrue(refused().contains("can be read by others"));
    }

    @Test
    void aPortInUseIsOneLine() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            Files.createDirectories(fixture.data);
            Files.writeString(fixture.data.resolve("config.yml"), "port: " + taken.getLocalPort() + "\n");
            fixture.start();
            assertEquals(1, fixture.log.size());
            assertTrue(fixture.log.get(0).contains("can't listen on"), fixture.log.get(0));
        }
    }

    @Test
    void descriptorsAreCopiedAndMissedWhenTheyAreGone() throws IOException {
        fixture.with().start();
        Path copy = fixture.data.resolve("disks/world/demo.json");
        fixture.until(() -> Files.exists(copy));
        Files.delete(folder.resolve("world/bbd/demo.json"));
        fixture.server.run(() -> fixture.plugin.setEnabled(false));
        fixture.log.clear();
        fixture.start();
        assertTrue(fixture.log.get(0).startsWith("WARNING The world has no disk 'demo' any more."), fixture.log.get(0));
        assertTrue(Files.exists(copy));
    }

    @Test
    void aWorldThatIsThereTwiceIsNoneForDisks() throws IOException {
        Path other = folder.resolve("other");
        Files.createDirectories(other.resolve("region"));
        Files.createDirectories(other.resolve("dimensions/minecraft/other/region"));
        FakeWorld twice = new FakeWorld(fixture.server, "other", other, other.resolve("region"),
                org.bukkit.World.Environment.NORMAL);
        fixture.server.worlds.add(twice);
        fixture.with().start();
        assertTrue(fixture.plugin.isEnabled());
        assertTrue(fixture.log.get(0).startsWith("SEVERE No disk can be in other: minecraft:other is there twice"),
                fixture.log.get(0));
        assertTrue(fixture.plugin.running().worlds().dimension("minecraft:other").isEmpty());
        fixture.server.run(() -> fixture.plugin.setEnabled(false));
        fixture.log.clear();
        assertTrue(refused("world: other").contains("minecraft:overworld is there twice")
                || fixture.log.get(0).contains("minecraft:other is there twice"), fixture.log.get(0));
    }

    @Test
    void aWorldByNameHasItsOwnDisks() throws IOException {
        Path other = folder.resolve("disks");
        Files.createDirectories(other.resolve("bbd"));
        Files.createFile(other.resolve("level.dat"));
        Files.writeString(other.resolve("bbd/second.json"), Fixture.descriptor("second", "byte", 0));
        fixture.server.worlds.add(new FakeWorld(fixture.server, "disks", other, other.resolve("region"),
                org.bukkit.World.Environment.NORMAL));
        fixture.with("world: disks").start();
        assertEquals(List.of("second"), fixture.companion().disks().all().stream().map(disk -> disk.name()).toList());
        assertEquals(java.util.Optional.of(Fixture.OVERWORLD),
                fixture.plugin.running().worlds().nameOf(fixture.server.worlds.get(1)));
        assertEquals(java.util.Optional.empty(), fixture.plugin.running().worlds().nameOf(fixture.world));
    }

    @Test
    void aWorldOf261IsADimensionOfTheMainOne() throws IOException {
        Path regions = folder.resolve("world/dimensions/minecraft/disks/region");
        Files.createDirectories(regions);
        Files.createDirectories(folder.resolve("world/dimensions/minecraft/overworld/region"));
        FakeWorld disks = new FakeWorld(fixture.server, "disks", regions.getParent(), regions,
                org.bukkit.World.Environment.NORMAL);
        fixture.server.worlds.add(disks);
        fixture.with("world: disks").start();
        assertTrue(fixture.plugin.isEnabled(), String.valueOf(fixture.log));
        assertEquals(folder.resolve("world"), fixture.plugin.running().worlds().world());
        assertEquals(java.util.Optional.of("minecraft:disks"), fixture.plugin.running().worlds().nameOf(disks));
    }
}
