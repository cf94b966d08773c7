package bbd.companion.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import org.bukkit.plugin.java.JavaPlugin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On Folia the plugin says in one sentence why it does not start. */
class FoliaTest {
    private static final String MARK = "io.papermc.paper.threadedregions.RegionizedServer";

    /** The plugin's classes as they are, beside a class that only Folia has. */
    private static final class Folia extends ClassLoader {
        Folia() {
            super(FoliaTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.equals(MARK) && !name.startsWith("bbd.companion.paper.")) {
                return super.loadClass(name, resolve);
            }
            Class<?> known = findLoadedClass(name);
            if (known != null) {
                return known;
            }
            try {
                byte[] bytes = name.equals(MARK) ? empty(name.replace('.', '/')) : bytes(name);
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException error) {
                throw new ClassNotFoundException(name, error);
            }
        }

        private static byte[] bytes(String name) throws IOException {
            try (InputStream file = FoliaTest.class.getResourceAsStream("/" + name.replace('.', '/') + ".class")) {
                return file.readAllBytes();
            }
        }

        /** A class file with a name and nothing in it. */
        private static byte[] empty(String name) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            DataOutputStream file = new DataOutputStream(bytes);
            file.writeInt(0xCAFEBABE);
            file.writeInt(65);
            file.writeShort(5);
            for (String one : List.of(name, "java/lang/Object")) {
                file.writeByte(1);
                file.writeUTF(one);
            }
            for (int one : new int[]{1, 2}) {
                file.writeByte(7);
                file.writeShort(one);
            }
            file.writeShort(0x21);
            file.writeShort(3);
            file.writeShort(4);
            for (int i = 0; i < 4; i++) {
                file.writeShort(0);
            }
            return bytes.toByteArray();
        }
    }

    @Test
    void itDoesNotStart(@TempDir Path folder) throws IOException, ReflectiveOperationException {
        try (Fixture fixture = new Fixture(folder)) {
            JavaPlugin plugin = (JavaPlugin) new Folia().loadClass(BbdPlugin.class.getName()).getConstructor()
                    .newInstance();
            plugin.give(fixture.server, fixture.data.toFile(), fixture.plugin.getLogger());
            fixture.server.run(() -> plugin.setEnabled(true));
            assertFalse(plugin.isEnabled());
            assertEquals(
                    List.of("SEVERE bbd can't start: this server is Folia, which has no main thread; bbd needs Paper"
                            + " or a fork of it that has one"),
                    fixture.log);
        }
    }
}
