package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.newsclub.net.unix.AFUNIXServerSocket;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/**
 * The server as a client sees it that shares nothing with it: sockets of junixsocket, which makes the system calls
 * itself, and frames and messages that are put together here, byte by byte, from docs/PROTOCOL.md.
 */
@Timeout(60)
class IndependentClientTest {
  private Stand stand;
  private AFUNIXSocket socket;
  private DataInputStream in;

  @BeforeEach
  void open() throws Exception {
    stand = new Stand();
    socket = AFUNIXSocket.connectTo(AFUNIXSocketAddress.of(stand.socket));
    in = new DataInputStream(socket.getInputStream());
  }

  @AfterEach
  void close() throws Exception {
    socket.close();
    stand.close();
  }

  /** A field of a protobuf message whose value has a length: tag, length as a varint, bytes. */
  private static byte[] field(int number, byte[] value) {
    var bytes = new ByteArrayOutputStream();
    bytes.write(number << 3 | 2);
    int rest = value.length;
    for (; rest >= 0x80; rest >>>= 7) {
      bytes.write(rest & 0x7f | 0x80);
    }
    bytes.write(rest);
    bytes.writeBytes(value);
    return bytes.toByteArray();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] joined(byte[]... parts) {
    var bytes = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      bytes.writeBytes(part);
    }
    return bytes.toByteArray();
  }

  private static byte[] frame(int id, int type, byte[] data) throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.writeInt(data.length);
    out.writeInt(id);
    out.writeByte(type);
    out.writeByte(0);
    out.write(data);
    return bytes.toByteArray();
  }

  private static byte[] request(int id, String method, byte[] payload) throws IOException {
    return frame(id, 1, joined(field(1, utf8("test.Service")), field(2, utf8(method)), field(3, payload)));
  }

  private void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
  }

  private byte[] receive(int bytes) throws IOException {
    byte[] received = new byte[bytes];
    in.readFully(received);
    return received;
  }

  private void assertReceives(byte[] expected) throws IOException {
    assertEquals(HexFormat.of().formatHex(expected), HexFormat.of().formatHex(receive(expected.length)));
  }

  @Test
  void aCallIsAnsweredWithTheBytesOfTheProtocolPage() throws Exception {
    byte[] hi = field(1, utf8("hi"));
    send(request(1, "Echo", hi));
    assertReceives(frame(1, 2, field(2, hi)));
    send(request(3, "Nothing", new byte[0]));
    assertReceives(frame(3, 2, new byte[0]));
    send(request(5, "echo", hi));
    assertReceives(frame(5, 2, field(1, joined(new byte[] {8, 12}, field(2, utf8("method echo"))))));
    send(request(0xffff_fffd, "Echo", hi));
    assertReceives(frame(0xffff_fffd, 2, field(2, hi)));
  }

  @Test
  void framesMayArriveInAnyPieces() throws Exception {
    byte[] hi = field(1, utf8("hi"));
    byte[] both = joined(request(1, "Echo", hi), request(3, "Echo", hi));
    byte[] answers = new byte[2 * frame(1, 2, field(2, hi)).length];
    for (byte piece : both) {
      send(new byte[] {piece});
    }
    in.readFully(answers);
    assertEquals(3 + 1, answers[7] + answers[answers.length / 2 + 7]); // the ids, in whatever order
  }

  @Test
  void theLargestFrameIsAnsweredAndALargerOneIsDrained() throws Exception {
    int max = 4_194_304;
    byte[] around = request(1, "Size", new byte[max / 2]);
    byte[] largest = request(1, "Size", field(1, new byte[max / 2 - (around.length - 10 - max / 2) + max / 2 - 5]));
    assertEquals(max, largest.length - 10);
    byte[] larger = frame(3, 1, Arrays.copyOfRange(joined(largest, new byte[1]), 10, max + 11));
    var writer = new Thread(() -> {
      try {
        send(joined(largest, larger));
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    });
    writer.start();
    // two calls of one connection are answered in whatever order
    var answers = new TreeMap<Integer, byte[]>();
    for (int i = 0; i < 2; i++) {
      var header = ByteBuffer.wrap(receive(10));
      byte[] body = receive(header.getInt());
      answers.put(header.getInt(), body);
      assertEquals(0x0200, header.getShort());
    }
    assertEquals(Set.of(1, 3), answers.keySet());
    byte[] text = utf8("message length 4194305 exceed maximum message size of 4194304");
    assertArrayEquals(field(1, joined(new byte[] {8, 8}, field(2, text))), answers.get(3));
    assertEquals(field(2, new byte[0])[0], answers.get(1)[0], "a payload, no status");
    writer.join();
  }

  /** What both sides learn of each other by SO_PEERCRED, and of the user that owns this process. */
  @Test
  void bothSidesSeeTheSameCredentials() throws Exception {
    Path self = Path.of("/proc/self");
    var server = socket.getPeerCredentials();
    assertEquals(ProcessHandle.current().pid(), server.getPid());
    assertEquals(((Integer) Files.getAttribute(self, "unix:uid")).longValue(), server.getUid());
    assertEquals(((Integer) Files.getAttribute(self, "unix:gid")).longValue(), server.getGid());
    Path other = stand.directory.resolve("other");
    try (var door = SocketDoor.listen(other)) {
      try (var client = AFUNIXSocket.connectTo(AFUNIXSocketAddress.of(other)); var accepted = door.accept()) {
        assertTrue(client.isConnected());
        assertEquals(Optional.empty(), accepted.stranger());
      }
    } finally {
      Files.delete(other);
    }
  }

  /** Sends the descriptor of {@code file} along with {@code bytes}, and closes it here. */
  private static void sendDescriptor(AFUNIXSocket to, Path file, byte[] bytes) throws IOException {
    try (var opened = new FileInputStream(file.toFile())) {
      to.setOutboundFileDescriptors(opened.getFD());
      to.getOutputStream().write(bytes);
    }
  }

  /** How often this process, which both sides are, has {@code file} open. */
  private static int open(Path file) throws IOException {
    int count = 0;
    try (DirectoryStream<Path> links = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path link : links) {
        try {
          count += Files.readSymbolicLink(link).equals(file) ? 1 : 0;
        } catch (NoSuchFileException e) {
          // closed meanwhile
        }
      }
    }
    return count;
  }

  /** Otherwise a client could fill the daemon's table of descriptors. */
  @Test
  void descriptorsThatAreSentAlongAreNotKept() throws Exception {
    byte[] hi = field(1, utf8("hi"));
    Path file = Files.createTempFile("sent", "").toRealPath();
    try {
      sendDescriptor(socket, file, request(1, "Echo", hi));
      assertReceives(frame(1, 2, field(2, hi)));
      assertEquals(0, open(file));
      send(request(3, "Echo", hi));
      assertReceives(frame(3, 2, field(2, hi)));
    } finally {
      Files.delete(file);
    }
  }

  /** The same towards one that takes them: the test above would see it. */
  @Test
  void aDescriptorThatIsTakenIsSeen() throws Exception {
    Path other = stand.directory.resolve("other");
    Path file = Files.createTempFile("sent", "").toRealPath();
    try (var listener = AFUNIXServerSocket.bindOn(AFUNIXSocketAddress.of(other));
        var client = AFUNIXSocket.connectTo(AFUNIXSocketAddress.of(other));
        AFUNIXSocket taker = listener.accept()) {
      taker.setAncillaryReceiveBufferSize(1024);
      sendDescriptor(client, file, new byte[] {1});
      assertEquals(1, taker.getInputStream().read());
      FileDescriptor[] taken = taker.getReceivedFileDescriptors();
      assertEquals(1, taken.length);
      assertEquals(1, open(file));
      new FileInputStream(taken[0]).close();
      assertEquals(0, open(file));
    } finally {
      Files.deleteIfExists(other);
      Files.delete(file);
    }
  }

  @Test
  void aClientThatGoesEndsItsCalls() throws Exception {
    send(request(1, "Hold", field(1, utf8("x"))));
    await().until(() -> stand.server.inFlight().size() == 1);
    socket.close();
    stand.interrupted.take();
    await().until(() -> stand.server.connections() == 0);
    assertArrayEquals(new Call[0], stand.server.inFlight().toArray());
  }
}
