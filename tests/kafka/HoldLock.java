import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;

/** Takes the lock of a data directory as Kafka takes it, says so, and holds it until its standard input ends. */
public class HoldLock {
    public static void main(String[] arguments) throws Exception {
        FileChannel channel = new RandomAccessFile(arguments[0] + "/.lock", "rw").getChannel();
        FileLock lock = channel.tryLock();
        System.out.println(lock == null ? "refused" : "locked");
        while (lock != null && System.in.read() >= 0) {
        }
    }
}
