"""The sample company on AWS's bill: what it spends on Bedrock, as a CUR 2.0 export."""
