package io.loomshim.integration.clients;

import io.loomshim.integration.harness.Await;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The streams of an exec or attach over CRI's streaming server, as {@code kubectl exec} uses them: a WebSocket whose
 * messages begin with the number of a channel. What arrives is kept by the HTTP client's threads under {@code lock}.
 */
final class RemoteCommand implements AutoCloseable {
  static final int STDOUT = 1;
  static final int STDERR = 2;
  /** Tells at the end how it went, as JSON. */
  static final int STATUS = 3;
  private static final int STDIN = 0;
  private static final int RESIZE = 4;
  private static final String PROTOCOL = "v4.channel.k8s.io";

  private final HttpClient client = HttpClient.newHttpClient();
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Integer, ByteArrayOutputStream> received = new TreeMap<>();
  private final CompletableFuture<Void> end = new CompletableFuture<>();
  private final WebSocket socket;

  private final class Listener implements WebSocket.Listener {
    private final ByteArrayOutputStream message = new ByteArrayOutputStream();

    @Override
    public CompletionStage<?> onBinary(WebSocket from, ByteBuffer data, boolean last) {
      while (data.hasRemaining()) {
        message.write(data.get());
      }
      if (last) {
        byte[] bytes = message.toByteArray();
        message.reset();
        if (bytes.length > 0) {
          lock.lock();
          try {
            received.computeIfAbsent((int) bytes[0], channel -> new ByteArrayOutputStream())
                .write(bytes, 1, bytes.length - 1);
          } finally {
            lock.unlock();
          }
        }
      }
      from.request(1);
      return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
      end.complete(null);
      return null;
    }

    @Override
    public void onError(WebSocket from, Throwable error) {
      end.complete(null); // the server may end without a farewell
    }
  }

  /** Connects to the address that Exec or Attach has answered. */
  RemoteCommand(String url) {
    socket = client.newWebSocketBuilder().subprotocols(PROTOCOL)
        .buildAsync(URI.create(url.replaceFirst("^http", "ws")), new Listener()).join();
  }

  void type(String text) {
    send(STDIN, text);
  }

  void resize(int columns, int rows) {
    send(RESIZE, "{\"Width\":" + columns + ",\"Height\":" + rows + "}");
  }

  private void send(int channel, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    socket.sendBinary(ByteBuffer.allocate(bytes.length + 1).put((byte) channel).put(bytes).flip(), true).join();
  }

  /** What has come on a channel so far. */
  String text(int channel) {
    lock.lock();
    try {
      var bytes = received.get(channel);
      return bytes == null ? "" : bytes.toString(StandardCharsets.UTF_8);
    } finally {
      lock.unlock();
    }
  }

  /** Waits until the server has closed the connection. */
  void awaitEnd() {
    end.orTimeout(Await.LIMIT.toSeconds(), TimeUnit.SECONDS).join();
  }

  /** Leaves, as a client whose user goes away. */
  @Override
  public void close() {
    socket.abort();
    client.close();
  }
}
