// Writes ten records with franz-go, each of them once whatever happens to the connection or the broker, and prints where each
// one is: PARTITION:OFFSET.
//
//	go run . 127.0.0.1:9092 my-topic
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go run . BOOTSTRAP_SERVERS TOPIC")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "not all records were stored:", err)
		os.Exit(1)
	}
}

func write(bootstrap, topic string) error {
	// This client is idempotent and waits for all acknowledgements unless it is told otherwise.
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(bootstrap, ",")...),
		kgo.DefaultProduceTopic(topic),
		kgo.AllowAutoTopicCreation(),
		// For how long a record is tried again before its failure is reported; without this for ever.
		kgo.RecordDeliveryTimeout(2*time.Minute),
	)
	if err != nil {
		return err
	}
	defer client.Close()

	var records []*kgo.Record
	for number := range 10 {
		record := kgo.StringRecord(fmt.Sprintf("example-%d", number))
		record.Key = fmt.Appendf(nil, "key-%d", number)
		records = append(records, record)
	}
	// It returns once each record is stored or given up. What it returns is in the order of the answers; our own list, whose
	// records know their places now, is in the order of writing.
	if err := client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		return err
	}
	for _, record := range records {
		fmt.Printf("%d:%d\n", record.Partition, record.Offset)
	}
	return nil
}
