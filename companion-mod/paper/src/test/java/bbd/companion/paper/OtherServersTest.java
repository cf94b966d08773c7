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

/** On a server that is not Paper, or is Folia, the plugin says in one sentence why it does not start. */
class OtherServersTest {
    private static final String MARK = "io.papermc.paper.threadedregions.RegionizedServer";

    /** The plugin's classes as they are, beside a class that only Folia has, and without one that others lack. */
    private static final class Classes extends ClassLoader {
        private final boolean folia;
        private final String missing;

        Classes(boolean folia, String missing) {
            super(OtherServersTest.class.getClassLoader());
            this.folia = folia;
            this.missing = missing;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.equals(missing) || name.equals(MARK) && !folia) {
                throw new ClassNotFoundException(name);
            }
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
            try (InputStream file = OtherServersTest.class
                    .getResourceAsStream("/" + name.replace('.', '/') + ".class")) {
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

    private static List<String> said(Path folder, Classes classes) throws IOException, ReflectiveOperationException {
        try (Fixture fixture = new Fixture(folder).with()) {
            JavaPlugin plugin = (JavaPlugin) classes.loadClass(BbdPlugin.class.getName()).getConstructor()
                    .newInstance();
            plugin.give(fixture.server, fixture.data.toFile(), fixture.plugin.getLogger());
            fixture.server.run(() -> plugin.setEnabled(true));
            assertFalse(plugin.isEnabled());
            return fixture.log;
        }
    }

    @Test
    void foliaHasNoMainThread(@TempDir Path folder) throws IOException, ReflectiveOperationException {
        assertEquals(List.of("SEVERE bbd can't start: this server is Folia, which has no main thread; bbd needs Paper"
                + " or a fork of it that has one"), said(folder, new Classes(true, "")));
    }

    @Test
    void spigotLacksEvents(@TempDir Path folder) throws IOException, ReflectiveOperationException {
        assertEquals(List.of("SEVERE bbd can't start: this server lacks what bbd needs"
                + " (com/destroystokyo/paper/event/block/BlockDestroyEvent): it is for Paper 1.21 to 26.x"),
                said(folder, new Classes(false, "com.destroystokyo.paper.event.block.BlockDestroyEvent")));
    }
}
