package bbd.companion.net;

import bbd.companion.Config;
import bbd.companion.session.Disks;
import bbd.companion.session.Limits;
import bbd.companion.session.Outbox;
import bbd.companion.session.Requests;
import bbd.companion.session.Session;
import bbd.companion.session.Workers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.java_websocket.WebSocket;
import org.java_websocket.WebSocketAdapter;
import org.java_websocket.WebSocketImpl;
import org.java_websocket.WebSocketServerFactory;
import org.java_websocket.drafts.Draft;
import org.java_websocket.exceptions.InvalidDataException;
import org.java_websocket.framing.CloseFrame;
import org.java_websocket.framing.Framedata;
import org.java_websocket.handshake.ClientHandshake;
import org.java_websocket.handshake.ServerHandshakeBuilder;
import org.java_websocket.server.DefaultSSLWebSocketServerFactory;
import org.java_websocket.server.DefaultWebSocketServerFactory;
import org.java_websocket.server.WebSocketServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The websocket side of the companion: who may connect at all, frames to sessions and back, and deadlines. */
public final class BridgeServer extends WebSocketServer {
    private static final Logger LOG = LoggerFactory.getLogger(BridgeServer.class);
    private static final int LOST_SECONDS = 15;
    private static final int START_SECONDS = 10;
    private static final int GOING_AWAY = 1001;

    private final Config config;
    private final Disks disks;
    private final Workers workers;
    private final Set<String> hosts;
    private final Map<SocketChannel, Boolean> strangers = new ConcurrentHashMap<>();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(BridgeServer::daemon);
    private final CountDownLatch started = new CountDownLatch(1);
    private volatile Exception failure;

    public BridgeServer(Config config, Disks disks, Workers workers, SSLContext tls) throws IOException {
        super(new InetSocketAddress(config.bind(), config.port()), 1, List.<Draft>of(new BoundedDraft()));
        this.config = config;
        this.disks = disks;
        this.workers = workers;
        this.hosts = hosts(config);
        if (tls == null && !InetAddress.getByName(config.bind()).isLoopbackAddress()) {
            LOG.warn("the bridge is open to {} without TLS: whoever can listen in can read the token", config.bind());
        }
        setWebSocketFactory(new Door(tls == null
                ? new DefaultWebSocketServerFactory()
                : new DefaultSSLWebSocketServerFactory(tls)));
        setReuseAddr(true);
        setTcpNoDelay(true);
        setDaemon(true);
        setConnectionLostTimeout(LOST_SECONDS);
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work, "bbd-clock");
        thread.setDaemon(true);
        return thread;
    }

    private static Set<String> hosts(Config config) {
        Set<String> all = new java.util.HashSet<>(Set.of("localhost", "127.0.0.1", "[::1]"));
        all.add(config.bind().contains(":") ? "[" + config.bind() + "]" : config.bind());
        config.hosts().forEach(host -> all.add(host.toLowerCase(Locale.ROOT)));
        return all;
    }

    /** Listens. Throws {@link IOException} where that can't be. */
    public void begin() throws IOException {
        start();
        try {
            if (!started.await(START_SECONDS, TimeUnit.SECONDS) || failure != null) {
                throw new IOException("the bridge can't listen on " + getAddress() + ": " + failure, failure);
            }
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", error);
        }
    }

    /** Tells all clients that the end is near. */
    public void announceEnd(String reason) {
        for (WebSocket socket : getConnections()) {
            if (socket.getAttachment() instanceof Session session && session.greeted()) {
                session.stop(reason);
            }
        }
    }

    /** Closes all connections and the port. */
    public void end() {
        for (WebSocket socket : getConnections()) {
            socket.close(GOING_AWAY, "the server stops");
        }
        try {
            stop(1000, "the server stops");
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
        clock.shutdown();
    }

    private void expire(SocketChannel channel) {
        if (strangers.remove(channel) != null) {
            try {
                channel.close();
            } catch (IOException error) {
                LOG.debug("closing a connection failed", error);
            }
        }
    }

    @Override
    public ServerHandshakeBuilder onWebsocketHandshakeReceivedAsServer(WebSocket socket, Draft draft,
            ClientHandshake request) throws InvalidDataException {
        String host = request.getFieldValue("Host").toLowerCase(Locale.ROOT).replaceFirst(":\\d+$", "");
        if (request.hasFieldValue("Origin") || !hosts.contains(host) || !"/".equals(request.getResourceDescriptor())) {
            throw new InvalidDataException(CloseFrame.REFUSE, "refused");
        }
        return super.onWebsocketHandshakeReceivedAsServer(socket, draft, request);
    }

    @Override
    public void onOpen(WebSocket socket, ClientHandshake handshake) {
        Outbox outbox = new SocketOutbox(socket, clock);
        Session session = new Session(outbox, new Requests(disks, outbox, workers));
        socket.setAttachment(session);
        clock.schedule(session::deadline, config.helloWithin().toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void onMessage(WebSocket socket, String message) {
        Session session = socket.getAttachment();
        session.text(message);
        known(socket, session);
    }

    @Override
    public void onMessage(WebSocket socket, ByteBuffer message) {
        Session session = socket.getAttachment();
        session.binary(message);
    }

    @Override
    public void onWebsocketPing(WebSocket socket, Framedata ping) {
        super.onWebsocketPing(socket, ping);
        SocketOutbox.requireReader(socket, clock);
    }

    @Override
    public void onClose(WebSocket socket, int code, String reason, boolean remote) {
        forget(socket);
        if (socket.getAttachment() instanceof Session session) {
            session.closed();
        }
    }

    @Override
    public void onError(WebSocket socket, Exception error) {
        if (socket == null && started.getCount() > 0) {
            failure = error;
            started.countDown();
        } else {
            LOG.warn("a connection failed: {}", error.toString());
        }
    }

    @Override
    public void onStart() {
        started.countDown();
    }

    private void known(WebSocket socket, Session session) {
        if (session.greeted()) {
            forget(socket);
        }
    }

    private void forget(WebSocket socket) {
        if (!strangers.isEmpty() && socket instanceof WebSocketImpl known && known.getSelectionKey() != null) {
            strangers.remove(known.getSelectionKey().channel());
        }
        forgetClosed();
    }

    /** Of those that go before they are a websocket nobody tells. */
    private void forgetClosed() {
        strangers.keySet().removeIf(channel -> !channel.isOpen());
    }

    /** Lets connections in as long as there are few that have not said hello, and not for ever. */
    private final class Door implements WebSocketServerFactory {
        private final WebSocketServerFactory inner;

        Door(WebSocketServerFactory inner) {
            this.inner = inner;
        }

        @Override
        public ByteChannel wrapChannel(SocketChannel channel, SelectionKey key) throws IOException {
            forgetClosed();
            if (strangers.size() >= Limits.STRANGERS) {
                channel.close();
                throw new IOException("too many connections that have not said hello");
            }
            strangers.put(channel, true);
            // It may never come as far as a websocket, or as a session.
            clock.schedule(() -> expire(channel), 2 * config.helloWithin().toMillis(), TimeUnit.MILLISECONDS);
            return inner.wrapChannel(channel, key);
        }

        @Override
        public WebSocketImpl createWebSocket(WebSocketAdapter adapter, Draft draft) {
            return inner.createWebSocket(adapter, draft);
        }

        @Override
        public WebSocketImpl createWebSocket(WebSocketAdapter adapter, List<Draft> drafts) {
            return inner.createWebSocket(adapter, drafts);
        }

        @Override
        public void close() {
            inner.close();
        }
    }
}
