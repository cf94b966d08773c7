package bbd.companion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SettingsTest {
    private static String refused(String name, Object value) {
        String message = assertThrows(IllegalArgumentException.class, () -> Settings.of(Map.of(name, value)))
                .getMessage();
        assertEquals(1, message.lines().count());
        return message;
    }

    @Test
    void whatIsMissingHasItsStandard() {
        Settings settings = Settings.of(Map.of());
        assertEquals(Config.standard(), settings.config());
        assertEquals(List.of("", 5, "", ""),
                List.of(settings.world(), settings.saveSeconds(), settings.certificate(), settings.key()));
    }

    @Test
    void everythingCanBeSet() {
        Settings settings = Settings.of(Map.of("world", "disks", "bind", "0.0.0.0", "port", 1, "hosts",
                List.of("mc.example"), "certificate", "a.pem", "key", "b.pem", "protect", false, "create", true,
                "tick-millis", 10, "save-seconds", 0));
        Config config = settings.config();
        assertEquals(List.of("0.0.0.0", 1, Set.of("mc.example"), false, true, true, 10.0), List.of(config.bind(),
                config.port(), config.hosts(), config.protect(), config.create(), config.approval(),
                config.tickMillis()));
        assertEquals(List.of("disks", 0, "a.pem", "b.pem"),
                List.of(settings.world(), settings.saveSeconds(), settings.certificate(), settings.key()));
    }

    @Test
    void mistakesAreToldInOneLine() {
        assertEquals("port must be a whole number from 0 to 65535, not '70000'", refused("port", 70000));
        assertEquals("port must be a whole number from 0 to 65535, not 'x'", refused("port", "x"));
        assertEquals("tick-millis must be a whole number from 1 to 45, not '0'", refused("tick-millis", 0));
        assertEquals("save-seconds must be a whole number from 0 to 30, not '2.5'", refused("save-seconds", 2.5));
        assertEquals("protect must be true or false, not 'maybe'", refused("protect", "maybe"));
        assertEquals("world must be a text, not '5'", refused("world", 5));
        assertEquals("hosts must be a list of names, not 'me'", refused("hosts", "me"));
        assertEquals("certificate and key belong together: set both or none", refused("certificate", "a.pem"));
        assertTrue(refused("prot", 1).startsWith("there is no setting 'prot'; there are bind, certificate, create, "));
    }

    @Test
    void theTokenIsNotSentInTheClearUnlessTheOperatorInsists() {
        assertTrue(refused("bind", "0.0.0.0").contains("set certificate and key, or insecure: true"));
        assertTrue(refused("bind", "no such address").contains("no address of this machine"));
        assertEquals("0.0.0.0", Settings.of(Map.of("bind", "0.0.0.0", "insecure", true)).config().bind());
        assertEquals("::1", Settings.of(Map.of("bind", "::1")).config().bind());
    }
}
