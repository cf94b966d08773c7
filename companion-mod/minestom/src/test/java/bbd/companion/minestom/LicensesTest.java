package bbd.companion.minestom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The jar brings other people's classes along, and must bring what their licences ask for. */
class LicensesTest {
    private static final Set<String> OF_TESTS = Set.of("junit-", "opentest4j", "apiguardian-api", "surefire-");

    @Test
    void everyLibraryHasItsLicence() throws IOException {
        Map<String, String> listed = listed();
        assertEquals(libraries(), listed.keySet());
        for (String text : listed.values()) {
            String licence = read("META-INF/licenses/" + text);
            assertTrue(licence.contains("Apache License") || licence.contains("Permission is hereby granted"), text);
        }
    }

    /** The artifacts whose jars these tests run with, but for those that only tests need. */
    private static Set<String> libraries() {
        Set<String> found = new TreeSet<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path jar = Path.of(entry).toAbsolutePath();
            String version = jar.getParent().getFileName().toString();
            String artifact = jar.getParent().getParent().getFileName().toString();
            boolean stored = jar.endsWith(artifact + "-" + version + ".jar");
            if (stored && OF_TESTS.stream().noneMatch(artifact::startsWith)) {
                found.add(artifact);
            }
        }
        return found;
    }

    private static Map<String, String> listed() throws IOException {
        Map<String, String> found = new TreeMap<>();
        for (String line : read("META-INF/THIRD-PARTY.txt").lines().toList()) {
            String[] words = line.split(" +");
            if (words.length == 2 && words[1].endsWith(".txt")) {
                found.put(words[0], words[1]);
            }
        }
        return found;
    }

    private static String read(String resource) throws IOException {
        try (InputStream stream = LicensesTest.class.getClassLoader().getResourceAsStream(resource)) {
            assertTrue(stream != null, resource);
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
