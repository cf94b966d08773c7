package bbd.companion;

import java.time.Duration;
import java.util.Set;

/**
 * What an operator decides.
 *
 * @param bind address to listen on
 * @param port port to listen on; 0 for any free one
 * @param hosts further names that clients may call this machine by
 * @param protect whether edits in disks are cancelled
 * @param create whether disks can be made through the bridge
 * @param approval whether a disk needs an operator's word before it is made
 * @param tickMillis the most of a tick that the companion takes
 * @param helloWithin how long a connection may take to say hello
 */
public record Config(String bind, int port, Set<String> hosts, boolean protect, boolean create, boolean approval,
        double tickMillis, Duration helloWithin) {
    public static final int PORT = 25590;

    public static Config standard() {
        return new Config("127.0.0.1", PORT, Set.of(), true, false, true, 15, Duration.ofSeconds(5));
    }

    public Config withPort(int other) {
        return new Config(bind, other, hosts, protect, create, approval, tickMillis, helloWithin);
    }

    public Config withProtect(boolean other) {
        return new Config(bind, port, hosts, other, create, approval, tickMillis, helloWithin);
    }

    public Config withCreate(boolean other, boolean approved) {
        return new Config(bind, port, hosts, protect, other, approved, tickMillis, helloWithin);
    }
}
