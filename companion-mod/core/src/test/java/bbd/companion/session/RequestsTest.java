package bbd.companion.session;

import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.Config;
import bbd.companion.MemoryServer;
import bbd.companion.MemoryWorld;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.server.TickBudget;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Requests that outlive their connection. */
@Timeout(60)
class RequestsTest {
    private static final String TOKEN = "0".repeat(64);
    private static final Outbox NOBODY = new Outbox() {
        @Override
        public void send(Map<String, Object> message) {}

        @Override
        public void send(List<ByteBuffer> parts) {}

        @Override
        public void close(ErrorCode why) {}
    };
    @TempDir
    Path folder;

    @Test
    void aDiskThatIsOpenedWhenItsConnectionHasEndedIsFree() throws Exception {
        Files.createDirectories(folder.resolve("bbd"));
        Files.writeString(folder.resolve("bbd/demo.json"), FuzzTest.descriptor());
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        try (Workers workers = new Workers()) {
            Disks disks = new Disks(new MemoryServer(folder, new MemoryWorld(folder.resolve("region"))),
                    Config.standard(), TOKEN::equals, workers, new TickBudget(25));
            disks.load();
            Session session = new Session(NOBODY, new Requests(disks, NOBODY, workers));
            session.text("{\"id\": 1, \"do\": \"hello\", \"versions\": [1], \"token\": \"" + TOKEN + "\"}");
            workers.file(() -> await(busy));
            session.text("{\"id\": 2, \"do\": \"open\", \"disk\": \"demo\", \"palette\": "
                    + "[{\"name\": \"minecraft:air\"}]}");
            session.closed();
            busy.countDown();
            workers.file(done::countDown);
            await(done);
            assertTrue(disks.opened("demo").isEmpty());
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(20, TimeUnit.SECONDS));
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }
}
